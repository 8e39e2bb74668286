//! The default extension and the single shift tables of TS 23.038 (§6.2.1.1 and annex A.2): what a septet is behind one ESC.

use super::{RESERVED, Table, changed, run};

/// Extension of the default alphabet.
pub(super) static DEFAULT: Table = EXTENSION;

pub(in crate::sms) const EXTENSION: Table = changed(
    [RESERVED; 128],
    &[
        (0x0a, '\u{c}'),
        (0x0d, '\n'),
        (0x14, '^'),
        (0x28, '{'),
        (0x29, '}'),
        (0x2f, '\\'),
        (0x3c, '['),
        (0x3d, '~'),
        (0x3e, ']'),
        (0x40, '|'),
        (0x65, '€'),
    ],
);

/// Turkish.
pub(super) static TURKISH: Table =
    changed(EXTENSION, &[(0x47, 'Ğ'), (0x49, 'İ'), (0x53, 'Ş'), (0x63, 'ç'), (0x67, 'ğ'), (0x69, 'ı'), (0x73, 'ş')]);

/// Spanish.
pub(super) static SPANISH: Table = changed(
    EXTENSION,
    &[(0x09, 'ç'), (0x41, 'Á'), (0x49, 'Í'), (0x4f, 'Ó'), (0x55, 'Ú'), (0x61, 'á'), (0x69, 'í'), (0x6f, 'ó'), (0x75, 'ú')],
);

/// Portuguese.
pub(super) static PORTUGUESE: Table = changed(
    EXTENSION,
    &[
        (0x05, 'ê'),
        (0x09, 'ç'),
        (0x0b, 'Ô'),
        (0x0c, 'ô'),
        (0x0e, 'Á'),
        (0x0f, 'á'),
        (0x12, 'Φ'),
        (0x13, 'Γ'),
        (0x15, 'Ω'),
        (0x16, 'Π'),
        (0x17, 'Ψ'),
        (0x18, 'Σ'),
        (0x19, 'Θ'),
        (0x1f, 'Ê'),
        (0x41, 'À'),
        (0x49, 'Í'),
        (0x4f, 'Ó'),
        (0x55, 'Ú'),
        (0x5b, 'Ã'),
        (0x5c, 'Õ'),
        (0x61, 'Â'),
        (0x69, 'í'),
        (0x6f, 'ó'),
        (0x75, 'ú'),
        (0x7b, 'ã'),
        (0x7c, 'õ'),
        (0x7f, 'â'),
    ],
);

/// What the tables of the Indic scripts and of Urdu have in common: the signs and capitals that their locking tables have no room for.
const SIGNS: Table = changed(
    run(EXTENSION, 0x41, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    &[
        (0x00, '@'),
        (0x01, '£'),
        (0x02, '$'),
        (0x03, '¥'),
        (0x04, '¿'),
        (0x05, '"'),
        (0x06, '¤'),
        (0x07, '%'),
        (0x08, '&'),
        (0x09, '\''),
        (0x0b, '*'),
        (0x0c, '+'),
        (0x0d, '\r'),
        (0x0e, '-'),
        (0x0f, '/'),
        (0x10, '<'),
        (0x11, '='),
        (0x12, '>'),
        (0x13, '¡'),
        (0x15, '¡'),
        (0x16, '_'),
        (0x17, '#'),
        (0x18, '*'),
    ],
);

/// Bengali.
pub(super) static BENGALI: Table = run(
    run(
        run(
            run(SIGNS, 0x19, "\u{9e6}\u{9e7}"),
            0x1c,
            "\u{9e8}\u{9e9}\u{9ea}\u{9eb}\u{9ec}\u{9ed}\u{9ee}\u{9ef}\u{9df}\u{9e0}\u{9e1}\u{9e2}",
        ),
        0x2a,
        "\u{9e3}\u{9f2}\u{9f3}\u{9f4}\u{9f5}",
    ),
    0x30,
    "\u{9f6}\u{9f7}\u{9f8}\u{9f9}\u{9fa}",
);

/// Gujarati.
pub(super) static GUJARATI: Table =
    run(run(SIGNS, 0x19, "\u{964}\u{965}"), 0x1c, "\u{ae6}\u{ae7}\u{ae8}\u{ae9}\u{aea}\u{aeb}\u{aec}\u{aed}\u{aee}\u{aef}");

/// Hindi.
pub(super) static HINDI: Table = run(
    run(
        run(
            run(SIGNS, 0x19, "\u{964}\u{965}"),
            0x1c,
            "\u{966}\u{967}\u{968}\u{969}\u{96a}\u{96b}\u{96c}\u{96d}\u{96e}\u{96f}\u{951}\u{952}",
        ),
        0x2a,
        "\u{953}\u{954}\u{958}\u{959}\u{95a}",
    ),
    0x30,
    "\u{95b}\u{95c}\u{95d}\u{95e}\u{95f}\u{960}\u{961}\u{962}\u{963}\u{970}\u{971}",
);

/// Kannada.
pub(super) static KANNADA: Table = run(
    run(
        run(SIGNS, 0x19, "\u{964}\u{965}"),
        0x1c,
        "\u{ce6}\u{ce7}\u{ce8}\u{ce9}\u{cea}\u{ceb}\u{cec}\u{ced}\u{cee}\u{cef}\u{cde}\u{cf1}",
    ),
    0x2a,
    "\u{cf2}",
);

/// Malayalam.
pub(super) static MALAYALAM: Table = run(
    run(
        run(
            run(SIGNS, 0x19, "\u{964}\u{965}"),
            0x1c,
            "\u{d66}\u{d67}\u{d68}\u{d69}\u{d6a}\u{d6b}\u{d6c}\u{d6d}\u{d6e}\u{d6f}\u{d70}\u{d71}",
        ),
        0x2a,
        "\u{d72}\u{d73}\u{d74}\u{d75}\u{d7a}",
    ),
    0x30,
    "\u{d7b}\u{d7c}\u{d7d}\u{d7e}\u{d7f}",
);

/// Oriya.
pub(super) static ORIYA: Table = run(
    run(
        run(SIGNS, 0x19, "\u{964}\u{965}"),
        0x1c,
        "\u{b66}\u{b67}\u{b68}\u{b69}\u{b6a}\u{b6b}\u{b6c}\u{b6d}\u{b6e}\u{b6f}\u{b5c}\u{b5d}",
    ),
    0x2a,
    "\u{b5f}\u{b70}\u{b71}",
);

/// Punjabi.
pub(super) static PUNJABI: Table = run(
    run(
        run(SIGNS, 0x19, "\u{964}\u{965}"),
        0x1c,
        "\u{a66}\u{a67}\u{a68}\u{a69}\u{a6a}\u{a6b}\u{a6c}\u{a6d}\u{a6e}\u{a6f}\u{a59}\u{a5a}",
    ),
    0x2a,
    "\u{a5b}\u{a5c}\u{a5e}\u{a75}",
);

/// Tamil.
pub(super) static TAMIL: Table = run(
    run(
        run(SIGNS, 0x19, "\u{964}\u{965}"),
        0x1c,
        "\u{be6}\u{be7}\u{be8}\u{be9}\u{bea}\u{beb}\u{bec}\u{bed}\u{bee}\u{bef}\u{bf3}\u{bf4}",
    ),
    0x2a,
    "\u{bf5}\u{bf6}\u{bf7}\u{bf8}\u{bfa}",
);

/// Telugu.
pub(super) static TELUGU: Table = run(
    run(
        run(SIGNS, 0x1c, "\u{c66}\u{c67}\u{c68}\u{c69}\u{c6a}\u{c6b}\u{c6c}\u{c6d}\u{c6e}\u{c6f}\u{c58}\u{c59}"),
        0x2a,
        "\u{c78}\u{c79}\u{c7a}\u{c7b}\u{c7c}",
    ),
    0x30,
    "\u{c7d}\u{c7e}\u{c7f}",
);

/// Urdu.
pub(super) static URDU: Table = run(
    run(
        run(
            run(
                run(SIGNS, 0x19, "\u{600}\u{601}"),
                0x1c,
                "\u{6f0}\u{6f1}\u{6f2}\u{6f3}\u{6f4}\u{6f5}\u{6f6}\u{6f7}\u{6f8}\u{6f9}\u{60c}\u{60d}",
            ),
            0x2a,
            "\u{60e}\u{60f}\u{610}\u{611}\u{612}",
        ),
        0x30,
        "\u{613}\u{614}\u{61b}\u{61f}\u{640}\u{652}\u{658}\u{66b}\u{66c}\u{672}\u{673}\u{6cd}",
    ),
    0x3f,
    "\u{6d4}",
);
