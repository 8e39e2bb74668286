//! What a page says about where it leads, without running any of it: `<meta http-equiv=refresh>` (HTML, "refresh state").

use html5gum::emitters::default::{DefaultEmitter, StartTag};
use html5gum::{Token, Tokenizer};

/// Octets of a page that are read.
pub(super) const PAGE_OCTETS: usize = 128 << 10;

/// The URL of the first refresh of a page, as it is written there.
pub(super) fn refresh(page: &[u8]) -> Option<String> {
    let page = String::from_utf8_lossy(page);
    let mut tokens = DefaultEmitter::new_with_span();
    // What looks like a tag inside a script, a style, a title or a comment is none.
    tokens.naively_switch_states(true);
    let mut without_script = false;
    Tokenizer::new_with_emitter(page.as_ref(), tokens).find_map(|token| match token {
        Ok(Token::<()>::StartTag(tag)) if tag.name.as_slice() == b"meta" => meta(&tag),
        Ok(Token::StartTag(tag)) => {
            without_script = tag.name.as_slice() == b"noscript";
            None
        }
        // For who runs no script, as here, what is in `noscript` is part of the page.
        Ok(Token::String(inside)) if std::mem::take(&mut without_script) => refresh(&inside),
        _ => None,
    })
}

fn meta(tag: &StartTag<()>) -> Option<String> {
    let attribute = |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
    let is_refresh = attribute(b"http-equiv").is_some_and(|kind| kind.eq_ignore_ascii_case("refresh"));
    if is_refresh { declared(&attribute(b"content")?) } else { None }
}

/// The URL of a `Refresh` field or of the `content` of its `<meta>`: `0; url='https://…'`.
pub(super) fn declared(content: &str) -> Option<String> {
    let rest = content.trim_start();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == content.trim_start().len() {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start();
    let named =
        rest.get(..3).filter(|head| head.eq_ignore_ascii_case("url")).and_then(|_| rest[3..].trim_start().strip_prefix('='));
    let url = named.unwrap_or(rest).trim_start();
    let url = match url.chars().next() {
        Some(quote @ ('"' | '\'')) => url[1..].split(quote).next().unwrap_or_default(),
        _ => url,
    };
    let url = url.trim();
    (!url.is_empty()).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_read_as_browsers_read_it() {
        for (page, url) in [
            ("<meta http-equiv=refresh content='0; url=https://a.example/?x=1&amp;y=2'>", "https://a.example/?x=1&y=2"),
            ("<!doctype html><HEAD><META HTTP-EQUIV=\"Refresh\" CONTENT=\"3;URL='/next'\"/>", "/next"),
            ("<meta content=\"1.5, url = &quot;b.html&quot; tail\" http-equiv=ReFresh>", "b.html"),
            ("<meta http-equiv='refresh' content='0;https://a.example/'>", "https://a.example/"),
            ("<noscript><meta http-equiv=refresh content='0;url=//a.example'></noscript>", "//a.example"),
        ] {
            assert_eq!(refresh(page.as_bytes()).as_deref(), Some(url), "{page}");
        }
    }

    #[test]
    fn what_is_no_refresh_leads_nowhere() {
        for page in [
            "<!-- <meta http-equiv=refresh content='0;url=x'> -->",
            "<script>document.write(\"<meta http-equiv=refresh content='0;url=x'>\")</script>",
            "<title><meta http-equiv=refresh content='0;url=x'></title>",
            "<style><meta http-equiv=refresh content='0;url=x'></style>",
            "<meta http-equiv=refresh content='30'>",
            "<meta http-equiv=refresh content='url=x'>",
            "<meta http-equiv=refresh>",
            "<meta name=refresh content='0;url=x'>",
            "<meta http-equiv=refresh content='0;url=x",
            "",
        ] {
            assert_eq!(refresh(page.as_bytes()), None, "{page}");
        }
        assert_eq!(refresh(b"\xff\xfe<meta http-equiv=refresh content='0;url=\xff'>").as_deref(), Some("\u{fffd}"));
    }
}
