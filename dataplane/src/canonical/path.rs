//! Path and query by the URL standard: dot segments, backslashes, percent-encode sets.

/// Encode sets: C0 control, path, special query.
pub(super) const CONTROL: u8 = 1;
pub(super) const PATH: u8 = 2;
pub(super) const QUERY: u8 = 4;

// Built when compiled: an index out of range would not compile.
#[allow(clippy::indexing_slicing)]
const ENCODED: [u8; 256] = {
    let mut table = [CONTROL | PATH | QUERY; 256];
    let mut i = 0x20;
    while i < 0x7f {
        table[i] = match i as u8 {
            b' ' | b'"' | b'<' | b'>' => PATH | QUERY,
            b'`' | b'{' | b'}' | b'?' => PATH,
            b'#' => PATH | QUERY,
            b'\'' => QUERY,
            _ => 0,
        };
        i += 1;
    }
    table
};

const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];

/// Appends `%XX`.
pub(super) fn push_percent(byte: u8, out: &mut String) {
    out.push('%');
    out.extend([byte >> 4, byte & 15].into_iter().filter_map(|nibble| HEX.get(usize::from(nibble))));
}

/// Appends `text`, percent-encoding the bytes of `set`.
pub(super) fn encode(text: &str, set: u8, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let clean = rest.bytes().position(|b| ENCODED.get(usize::from(b)).is_some_and(|bits| bits & set != 0));
        let Some((plain, behind)) = rest.split_at_checked(clean.unwrap_or(rest.len())) else { return };
        out.push_str(plain);
        let mut chars = behind.chars();
        if let Some(first) = chars.next() {
            let mut bytes = [0; 4];
            first.encode_utf8(&mut bytes).bytes().for_each(|b| push_percent(b, out));
        }
        rest = chars.as_str();
    }
}

/// Appends `value` in decimal.
pub(super) fn push_decimal(value: u32, out: &mut String) {
    let mut digits = [0_u8; 10];
    let mut left = value;
    let mut from = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (left % 10) as u8;
        left /= 10;
        from -= 1;
        if left == 0 {
            break;
        }
    }
    out.extend(digits.get(from..).unwrap_or_default().iter().map(|&d| char::from(d)));
}

/// Appends path and query; `tail` is all behind the authority. The fragment goes.
pub(super) fn write(tail: &str, out: &mut String) {
    let base = out.len();
    let tail = tail.split('#').next().unwrap_or_default();
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    let mut rest = path.strip_prefix(['/', '\\']).unwrap_or(path);
    loop {
        let end = rest.bytes().position(|b| matches!(b, b'/' | b'\\'));
        let (segment, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
        let last = end.is_none();
        match dots(segment) {
            0 => {
                out.push('/');
                encode(segment, PATH, out);
            }
            up => {
                if up == 2 {
                    let cut = out.get(base..).and_then(|path| path.rfind('/')).unwrap_or_default();
                    out.truncate(base + cut);
                }
                if last {
                    out.push('/');
                }
            }
        }
        if last {
            break;
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    if let Some(query) = query {
        out.push('?');
        encode(query, QUERY, out);
    }
}

/// 1 for `.`, 2 for `..` (with `%2e` for a dot), else 0.
fn dots(segment: &str) -> u8 {
    let mut rest = segment.as_bytes();
    let mut count = 0;
    while !rest.is_empty() {
        rest = match rest {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return 0,
        };
        count += 1;
        if count > 2 {
            return 0;
        }
    }
    count
}
