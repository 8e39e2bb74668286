use super::*;
use crate::policy::words;

fn neutralised(text: &str) -> String {
    let link = text.find("http").map(|start| {
        let end = text[start..].find(char::is_whitespace).map_or(text.len(), |len| start + len);
        LinkFacts {
            start,
            end,
            host: "x.example",
            registrable: "x.example",
            verdict: crate::verdict::Verdict::Unknown,
            reason: crate::verdict::Reason::NoEntry,
            category: "",
            confidence: crate::verdict::Confidence::High,
            in_this_part: true,
            crosses_parts: false,
        }
    });
    let imitation = Imitation::new(&words::likenesses().collect::<Vec<_>>());
    let mut spots = Vec::new();
    if link.is_some() || imitation.possible(text) {
        imitation.neutralise(text, 0, link.iter(), &mut spots);
    }
    text.char_indices().map(|(at, c)| if spots.contains(&at) { ' ' } else { c }).collect()
}

#[test]
fn likenesses_of_a_label_are_blanked() {
    for (text, left) in [
        ("[SAFE] http://x.example", "       http://x.example"),
        ("[S A F E] hello", "          hello"),
        ("Hello [ѕаfе] friend", "Hello        friend"),
        ("Hello (5AFE) friend", "Hello        friend"),
        ("【安全】hi [Safe link] x", "【安全】hi             x"),
        ("Verified link: http://x.example", "             : http://x.example"),
        ("V.e.r.i.f.i.e.d  L1NK http://x.example", "                 http://x.example"),
        ("Good day\nVERIFIED LINK good(.)com:\nhttp://x.example", "Good day\n              good(.)com:\nhttp://x.example"),
        ("✔ checked http://x.example", "          http://x.example"),
        ("Your parcel ✅ Verified", "Your parcel           "),
        ("Safe: http://x.example", ": http://x.example"),
        ("Pay now. Verified link - http://x.example", "Pay now.                 http://x.example"),
        ("http://x.example (verified)", "http://x.example           "),
        ("http://x.example - safe link", "http://x.example            "),
        ("[GEPRÜFTER LINK] x", "                 x"),
        ("رابط موثوق: http://x.example", "         : http://x.example"),
        ("[SA[SAFE]FE] x", "             x"),
        ("VERIFIED LINKS http://x.example", "               http://x.example"),
        ("VERIFIED URL: http://x.example", "            : http://x.example"),
        ("GEPRUEFTER LINK http://x.example", "                http://x.example"),
        ("Geprüfte Links: http://x.example", "              : http://x.example"),
        ("GEFAEHRLICHER LINK http://x.example", "                   http://x.example"),
        ("Liens vérifiés http://x.example", "               http://x.example"),
        ("Checked and safe: http://x.example", "                : http://x.example"),
        ("VᎬRIFIED LINK http://x.example", "              http://x.example"),
        ("ᏙᎬᎡᏆFᏆᎬᎠ ᏞᏆNᏦ http://x.example", "              http://x.example"),
        ("ꓦꓰꓣꓲꓝꓲꓰꓓ ꓡꓲꓠꓗ http://x.example", "              http://x.example"),
    ] {
        let found = neutralised(text);
        let squeeze = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&found), squeeze(left), "{text}");
        assert_eq!(found.chars().count(), text.chars().count(), "{text}");
        assert_eq!(neutralised(&found), found, "{text}");
    }
}

#[test]
fn a_word_in_a_sentence_is_no_imitation() {
    for text in [
        "Drive safe, see you soon",
        "Safe journey!",
        "Are you safe?",
        "Your account is verified. Thank you",
        "Use this secure link http://x.example",
        "I checked (twice) and it is ok",
        "Safely home now",
        "Ok :) see you at 8",
        "Safe :) home now",
        "It is safe. http://x.example/very/safe",
        "Sicher, ich komme",
        "Url in my next text",
        "Links to all songs: http://x.example",
        "Checked and sent, bye",
        "Die Seite ist geprueft: http://x.example",
        "Please click the verified link to go on: http://x.example",
    ] {
        assert_eq!(neutralised(text), text);
    }
}

#[test]
fn a_label_behind_an_override_is_read_as_it_is_shown() {
    for (text, left) in [
        ("\u{202e}KNIL DEIFIREV\u{202c} call 0900-123", "\u{202e}             \u{202c} call 0900-123"),
        ("Hello \u{202e}[EFAS]\u{202c} friend", "Hello \u{202e}[    ]\u{202c} friend"),
        ("\u{202e}knil\u{200b} d3ifirev", "\u{202e}             "),
        ("Good day\n\u{202b}\u{202e}KNIL DEIFIREV: x", "Good day\n\u{202b}\u{202e}             : x"),
        ("\u{202e}KNIL DEIFIREV\u{202c} http://x.example", "\u{202e}             \u{202c} http://x.example"),
        ("\u{202e}nekcuR KNIL RETFÜRPEG", "\u{202e}nekcuR               "),
    ] {
        let found = neutralised(text);
        let squeeze = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&found), squeeze(left), "{text:?}");
    }
    for text in [
        "\u{202e}efasnu KNILL DEIFIREVNU",
        "\u{202e}مرحبا",
        "efas KNIL DEIFIREV",
        "\u{202e}abc\nKNIL DEIFIREV",
        "\u{202d}KNIL DEIFIREV",
    ] {
        assert_eq!(neutralised(text), text);
    }
}

#[test]
fn brackets_marks_and_lines_without_a_letter_are_read_in_linear_time() {
    for unit in ["[.]", "[", "✔", "\n", "€\n", "✔a", "\n.", "\u{202e}", "\u{202e}1 ", "\u{202e}a\n"] {
        let time = |octets: usize| {
            let text = unit.repeat(octets / unit.len());
            let start = std::time::Instant::now();
            assert_eq!(neutralised(&text), text);
            start.elapsed()
        };
        // Four times would be quadratic; small times are noise.
        let (half, whole) = (time(128_000), time(256_000));
        assert!(whole < half * 3 || whole.as_millis() < 500, "{unit:?}: {half:?} for half, {whole:?} for all");
    }
}
