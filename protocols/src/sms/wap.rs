//! WAP push: links that come to a handset as 8-bit data for port 2948, without a text that a person wrote.
//!
//! ```text
//! WSP push    TID | 06 | length of headers | content type, other headers | body             WAP-230-WSP
//! SI, SL      WBXML: version | public id | charset | string table | tokens                   WAP-192, WAP-167, WAP-168
//! MMS         header fields: m-notification-ind with Content-Location                        OMA MMS encapsulation
//! ```
//! The link stands in attribute `href`, in pieces: tokens for `http://www.` and its like in front, for `.com/` and its like within.
//! A push longer than one message comes in parts: join their bodies first.

use core::ops::Range;

/// The port that handsets take WAP pushes at, without security.
pub const PUSH_PORT: u16 = 2948;

/// What a push carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Push {
    /// Service Indication: a link and a text, shown to the user.
    ServiceIndication,
    /// Service Loading: a link that the handset opens, by itself perhaps.
    ServiceLoading,
    /// A multimedia message to be fetched.
    MmsNotification,
    /// Something else: provisioning, cache operations. Nothing is read out of it.
    Other,
}

/// A piece of what a push says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The text, or what a token stands for.
    pub text: &'a str,
    /// The octets that it was read from: as many as the text has for a string, one for a token.
    pub octets: Range<usize>,
    /// It starts an attribute or a text; else it continues the piece before.
    pub is_first: bool,
    /// It is of an attribute's value: of a link, and of nothing that is shown.
    pub in_attribute: bool,
    /// Of a token that starts `href`: the one that does without the beginning of an address.
    pub plain: Option<u8>,
}

/// Appends links and texts of a push to `out`, a line each. `None` if it is no push; what is cut off gives what was there.
pub fn text(octets: &[u8], out: &mut String) -> Option<Push> {
    pieces(octets, |piece| {
        if piece.is_first && !out.is_empty() {
            out.push('\n');
        }
        out.push_str(piece.text);
    })
}

/// Makes links dead in place: no octet comes or goes. `text` is what [`text`] gives of these octets, `places` are octets of it that have to
/// go, ascending; an attribute's value, of which tokens cannot be blanked, goes whole with any of them. Says by `put` which octet of the push
/// becomes which, and appends the text as it then reads to `left`.
///
/// `false`: nothing is to be put. A notification of a multimedia message has the address of the network's own server, which stays.
pub fn deaden(octets: &[u8], text: &str, places: &[usize], left: &mut String, mut put: impl FnMut(usize, u8)) -> bool {
    let within = |range: Range<usize>| {
        let first = places.partition_point(|&place| place < range.start);
        places.get(first..).unwrap_or_default().iter().copied().take_while(move |&place| place < range.end)
    };
    let (mut end, mut word) = (0, 0..0);
    let kind = pieces(octets, |piece| {
        if piece.is_first && end > 0 {
            left.push('\n');
            end += 1;
        }
        let here = end..end + piece.text.len();
        end = here.end;
        if here.start >= word.end {
            let blank =
                |from: usize, octets: &[u8]| octets.iter().position(u8::is_ascii_whitespace).map_or(text.len(), |at| from + at);
            word = here.start..blank(here.start, text.as_bytes().get(here.start..).unwrap_or_default());
        }
        let is_string = piece.octets.len() == piece.text.len();
        if piece.in_attribute && within(word.clone()).next().is_some() {
            match piece.plain {
                Some(plain) => put(piece.octets.start, plain),
                None if is_string => {
                    left.extend(core::iter::repeat_n(' ', piece.octets.len()));
                    piece.octets.for_each(|at| put(at, b' '));
                }
                None => left.push_str(piece.text),
            }
            return;
        }
        let mut kept = 0;
        for place in within(here.clone()).map(|place| place - here.start).filter(|_| is_string) {
            let len = piece.text.get(place..).and_then(|text| text.chars().next()).map_or(1, char::len_utf8);
            left.push_str(piece.text.get(kept..place).unwrap_or_default());
            left.extend(core::iter::repeat_n(' ', len));
            (0..len).for_each(|octet| put(piece.octets.start + place + octet, b' '));
            kept = place + len;
        }
        left.push_str(piece.text.get(kept..).unwrap_or_default());
    });
    matches!(kind, Some(Push::ServiceIndication | Push::ServiceLoading))
}

/// Hands each piece of a push to `take`, in order.
pub fn pieces<'a>(octets: &'a [u8], take: impl FnMut(Piece<'a>)) -> Option<Push> {
    let mut cursor = Cursor { octets, at: 0, is_first: true, in_attribute: false, take };
    let (_transaction, 0x06) = (cursor.octet()?, cursor.octet()?) else { return None };
    let headers = cursor.number()?;
    let body = cursor.at.checked_add(headers)?;
    let kind = content_type(&mut cursor)?;
    cursor.at = body;
    match kind {
        Push::ServiceIndication if is_xml(octets.get(body..)) => cursor.xml(),
        Push::ServiceLoading if is_xml(octets.get(body..)) => cursor.xml(),
        Push::ServiceIndication | Push::ServiceLoading => cursor.wbxml(kind).unwrap_or_default(),
        Push::MmsNotification => cursor.mms().unwrap_or_default(),
        Push::Other => {}
    }
    Some(kind)
}

/// The textual forms start with markup; WBXML starts with its version, a small number.
fn is_xml(body: Option<&[u8]>) -> bool {
    matches!(body, Some([b'<' | b' ' | b'\r' | b'\n' | b'\t' | 0xef, ..]))
}

/// Reads the content type: a number, a name, or either of them with parameters.
fn content_type<'a>(cursor: &mut Cursor<'a, impl FnMut(Piece<'a>)>) -> Option<Push> {
    if cursor.peek()? < 31 {
        cursor.octet()?;
    } else if cursor.peek()? == 31 {
        cursor.octet()?;
        cursor.number()?;
    }
    let first = cursor.peek()?;
    if first >= 0x80 {
        return Some(match first & 0x7f {
            0x2d | 0x2e => Push::ServiceIndication,
            0x2f | 0x30 => Push::ServiceLoading,
            0x3e => Push::MmsNotification,
            _ => Push::Other,
        });
    }
    let name = cursor.string()?;
    Some(match cursor.octets.get(name)? {
        b"text/vnd.wap.si" | b"application/vnd.wap.sic" => Push::ServiceIndication,
        b"text/vnd.wap.sl" | b"application/vnd.wap.slc" => Push::ServiceLoading,
        b"application/vnd.wap.mms-message" => Push::MmsNotification,
        _ => Push::Other,
    })
}

/// Reads on from octet to octet. Each step takes at least one, so that every loop ends.
struct Cursor<'a, F> {
    octets: &'a [u8],
    at: usize,
    is_first: bool,
    in_attribute: bool,
    take: F,
}

impl<'a, F: FnMut(Piece<'a>)> Cursor<'a, F> {
    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn octet(&mut self) -> Option<u8> {
        let octet = self.peek()?;
        self.at += 1;
        Some(octet)
    }

    /// Seven bits an octet, the high bit set on all but the last: uintvar of WSP, mb_u_int32 of WBXML.
    fn number(&mut self) -> Option<usize> {
        let mut number: usize = 0;
        for _ in 0..5 {
            let octet = self.octet()?;
            number = number << 7 | usize::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Octets up to NUL, or to the end where that was cut off.
    fn string(&mut self) -> Option<Range<usize>> {
        let rest = self.octets.get(self.at..)?;
        let len = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
        let string = self.at..self.at + len;
        self.at = (string.end + 1).min(self.octets.len());
        Some(string)
    }

    fn give(&mut self, text: &'a str, octets: Range<usize>) {
        self.give_token(text, octets, None);
    }

    fn give_token(&mut self, text: &'a str, octets: Range<usize>, plain: Option<u8>) {
        (self.take)(Piece { text, octets, is_first: self.is_first, in_attribute: self.in_attribute, plain });
        self.is_first = false;
    }

    /// Gives a string in UTF-8, with U+FFFD for what is not.
    fn give_string(&mut self, string: Range<usize>) {
        let mut at = string.start;
        for chunk in self.octets.get(string).unwrap_or_default().utf8_chunks() {
            let valid = chunk.valid();
            if !valid.is_empty() {
                self.give(valid, at..at + valid.len());
            }
            at += valid.len();
            if !chunk.invalid().is_empty() {
                self.give("\u{fffd}", at..at + chunk.invalid().len());
            }
            at += chunk.invalid().len();
        }
    }

    /// The textual form: all of it, as the links in it stand in plain sight.
    fn xml(&mut self) {
        self.give_string(self.at..self.octets.len());
    }

    fn wbxml(&mut self, kind: Push) -> Option<()> {
        let _version = self.octet()?;
        if self.number()? == 0 {
            self.number()?;
        }
        let _charset = self.number()?;
        let table_len = self.number()?;
        let table = self.at..self.at.checked_add(table_len)?.min(self.octets.len());
        self.at = table.end;

        loop {
            let at = self.at;
            match self.octet()? {
                0x00 => self.at += 1, // Another code page.
                0x01 => {
                    self.in_attribute = false;
                    self.is_first = true;
                }
                0x02 | 0x80..=0x82 => {
                    self.number()?;
                }
                0x03 => {
                    let string = self.string()?;
                    self.give_string(string);
                }
                0x83 => {
                    let start = table.start.checked_add(self.number()?)?;
                    let rest = self.octets.get(start..table.end).unwrap_or_default();
                    let len = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
                    self.give_string(start..start + len);
                }
                0xc3 => {
                    let len = self.number()?;
                    self.at = self.at.checked_add(len)?;
                }
                0x40..=0x42 => {
                    self.string()?;
                }
                0xc0..=0xc2 => {}
                token @ (0x04 | 0x43 | 0x44 | 0x84 | 0xc4) => {
                    self.number()?;
                    self.is_first = true;
                    self.in_attribute |= matches!(token, 0x43 | 0x84 | 0xc4);
                }
                token if !self.in_attribute => {
                    self.is_first = true;
                    self.in_attribute = token & 0x80 != 0;
                }
                token => {
                    self.is_first |= token < 0x80;
                    if let Some((text, plain)) = attribute(kind, token) {
                        self.give_token(text, at..at + 1, plain);
                    }
                }
            }
        }
    }

    /// Content-Location and Subject of the header fields (the first octet of a value tells its form).
    fn mms(&mut self) -> Option<()> {
        loop {
            let field = self.octet()?;
            if field < 0x80 {
                // A field with a name of its own: name and value are both strings.
                self.string()?;
                self.string()?;
                continue;
            }
            match self.peek()? {
                0x20..=0x7f => {
                    let string = self.string()?;
                    if matches!(field, CONTENT_LOCATION | SUBJECT) {
                        self.is_first = true;
                        self.give_string(string);
                    }
                }
                0x80.. => self.at += 1,
                len => {
                    self.at += 1;
                    let len = if len == 31 { self.number()? } else { usize::from(len) };
                    let end = self.at.checked_add(len)?;
                    if field == SUBJECT {
                        // A charset first, then the text.
                        self.at += 1;
                        let string = self.string()?;
                        self.is_first = true;
                        self.give_string(string.start..string.end.min(end));
                    }
                    self.at = end;
                }
            }
        }
    }
}

const CONTENT_LOCATION: u8 = 0x83;
const SUBJECT: u8 = 0x96;

/// What an attribute token stands for, as far as it belongs to a link; and the plain `href` in the place of one that starts it.
const fn attribute(kind: Push, token: u8) -> Option<(&'static str, Option<u8>)> {
    // `href` with each start of an address has five tokens in a row, from 0b in SI and from 08 in SL.
    let start = match kind {
        Push::ServiceIndication => 0x0b,
        _ => 0x08,
    };
    match token {
        0x85 => Some((".com/", None)),
        0x86 => Some((".edu/", None)),
        0x87 => Some((".net/", None)),
        0x88 => Some((".org/", None)),
        _ => match token.wrapping_sub(start) {
            1 => Some(("http://", Some(start))),
            2 => Some(("http://www.", Some(start))),
            3 => Some(("https://", Some(start))),
            4 => Some(("https://www.", Some(start))),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `http://www.xyz.com/email/123/abc.wml` with a time and a text, written by hand from the token tables of WAP-167.
    fn indication() -> Vec<u8> {
        let mut push = vec![0x01, 0x06, 0x01, 0xae, 0x02, 0x05, 0x6a, 0x00, 0x45, 0xc6, 0x0d, 0x03];
        push.extend(b"xyz\0\x85\x03email/123/abc.wml\0");
        push.extend([0x0a, 0xc3, 0x04, 0x19, 0x99, 0x06, 0x25, 0x01, 0x03]);
        push.extend(b"You have 4 new emails\0\x01\x01");
        push
    }

    #[test]
    fn a_service_indication_gives_its_link_and_its_text() {
        let mut out = String::new();
        assert_eq!(text(&indication(), &mut out), Some(Push::ServiceIndication));
        assert_eq!(out, "http://www.xyz.com/email/123/abc.wml\nYou have 4 new emails");
    }

    #[test]
    fn strings_say_where_their_octets_stand() {
        let push = indication();
        let mut strings = 0;
        pieces(&push, |piece| {
            if piece.octets.len() == piece.text.len() {
                assert_eq!(&push[piece.octets], piece.text.as_bytes());
                strings += 1;
            } else {
                assert_eq!(piece.octets.len(), 1);
            }
        });
        assert_eq!(strings, 3);
    }

    /// The push with what stands at every `opens` of its text made dead, and the text as `deaden` says that it then reads.
    fn dead(push: &[u8], opens: &[char]) -> (Vec<u8>, String) {
        let (mut before, mut left, mut octets) = (String::new(), String::new(), push.to_vec());
        text(push, &mut before);
        let places: Vec<usize> = before.match_indices(opens).map(|(at, _)| at).collect();
        assert!(deaden(push, &before, &places, &mut left, |at, octet| octets[at] = octet));
        let mut after = String::new();
        text(&octets, &mut after);
        assert_eq!(after.trim_start_matches('\n'), left.trim_start_matches('\n'));
        (octets, left)
    }

    #[test]
    fn a_link_of_tokens_and_strings_is_made_dead_in_place() {
        let (octets, left) = dead(&indication(), &['.', '/', ':']);
        assert_eq!(left, "   .com/                 \nYou have 4 new emails");
        assert_eq!((octets.len(), octets[10]), (indication().len(), 0x0b));
    }

    #[test]
    fn of_a_text_that_is_shown_nothing_goes_but_the_places() {
        let mut push = vec![0x01, 0x06, 0x01, 0xae, 0x02, 0x05, 0x6a, 0x00, 0x45, 0xc6, 0x0b, 0x03];
        push.extend("a.example/x\0\x01\x03é b.example/y now\0\x01\x01".bytes());
        let (_, left) = dead(&push, &['.', '/']);
        assert_eq!(left, "           \né b example y now");
        let textual = b"\x01\x06\x01\xad<si><indication href=\"http://a.example\">hi";
        assert_eq!(dead(textual, &['.', ':']).1, "<si><indication href=\"http //a example\">hi");
    }

    #[test]
    fn the_address_of_a_multimedia_message_stays() {
        let push = b"\x01\x06\x01\xbe\x83http://mmsc/1\0";
        assert!(!deaden(push, "http://mmsc/1", &[4], &mut String::new(), |_, _| {}));
        assert!(!deaden(b"no push", "", &[], &mut String::new(), |_, _| {}));
    }

    #[test]
    fn service_loading_has_its_own_attribute_tokens() {
        let mut push = b"\x09\x06\x19application/vnd.wap.slc\0\xaf\x02\x06\x6a\x00\x85\x0b\x03".to_vec();
        push.extend(b"evil.example/x\0\x06\x01");
        push[2] = 25;
        let mut out = String::new();
        assert_eq!(text(&push, &mut out), Some(Push::ServiceLoading));
        assert_eq!(out, "https://evil.example/x");
    }

    #[test]
    fn a_link_may_stand_in_the_string_table() {
        let mut push = vec![0x01, 0x06, 0x01, 0xae, 0x02, 0x05, 0x6a, 0x08];
        push.extend(b"ab\0c.d/e\0");
        push[7] = 9;
        push.extend([0x45, 0xc6, 0x0c, 0x83, 0x03, 0x01, 0x01, 0x01]);
        let mut out = String::new();
        text(&push, &mut out);
        assert_eq!(out, "http://c.d/e");
    }

    #[test]
    fn the_textual_form_is_given_whole() {
        let push = b"\x01\x06\x01\xad<si><indication href=\"http://a.example/\">hi</indication></si>";
        let mut out = String::new();
        assert_eq!(text(push, &mut out), Some(Push::ServiceIndication));
        assert!(out.contains("href=\"http://a.example/\""));
    }

    #[test]
    fn a_push_cut_anywhere_gives_a_beginning_and_never_panics() {
        let push = indication();
        let mut whole = String::new();
        text(&push, &mut whole);
        for end in 0..push.len() {
            let mut out = String::new();
            let kind = text(&push[..end], &mut out);
            assert!(whole.starts_with(&out), "cut at {end}: {out}");
            assert_eq!(kind.is_some(), end >= 4, "cut at {end}");
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_survived() {
        for push in [
            &b"\x01\x06\xff\xff\xff\xff\x7f\xae"[..],
            b"\x01\x06\x01\xae\x02\x05\x6a\xff\xff\xff\xff\x0f\xc3",
            b"\x01\x06\x01\xbe\x96\x1f\xff\x7f",
        ] {
            text(push, &mut String::new());
        }
    }
}
