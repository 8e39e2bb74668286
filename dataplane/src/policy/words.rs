//! The words that ship: short, plain, in eleven languages. Nine keep to the GSM 7-bit default alphabet without its extension, so that a
//! message keeps its alphabet (TS 23.038 §6.2.1): where a language needs more letters it is written without its accents, as people do
//! in SMS. Arabic and Hindi need UCS2; in a GSM 7-bit message the English forms stand in for them.

/// Labels, notices and words of one language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LanguageSpec {
    /// ISO 639-1 code.
    pub code: String,
    /// `{verdict}` for `safe`, `unknown`, `dangerous`.
    pub verdicts: [String; 3],
    /// Labels for `safe`, `unknown`, `dangerous`: forms from long to short.
    pub labels: [Vec<String>; 3],
    /// Notices that replace a text, for `safe`, `unknown`, `dangerous`: forms from long to short.
    pub notices: [Vec<String>; 3],
}

struct Words {
    code: &'static str,
    verdicts: [&'static str; 3],
    /// What the three labels say before the host.
    heads: [&'static str; 3],
    /// What the long forms for `unknown` and `dangerous` add.
    advice: [&'static str; 2],
    /// Notices for `unknown` and `dangerous`, long and short; `{host}` is in both, and the shortest leaves it out.
    notices: [[&'static str; 3]; 2],
    /// Words and phrases that an imitation would use, beside the heads.
    likenesses: &'static [&'static str],
}

/// The last form for `unknown`: four septets that fit where nothing else does.
const MARK_UNKNOWN: &str = "(?) ";
/// The last form for `dangerous`.
const MARK_DANGEROUS: &str = "(!) ";

const SHIPPED: [Words; 11] = [
    Words {
        code: "en",
        verdicts: ["verified", "not verified", "dangerous"],
        heads: ["VERIFIED LINK", "UNVERIFIED LINK", "DANGEROUS LINK"],
        advice: ["Do not log in or pay there.", "Do not open it."],
        notices: [
            [
                "A message with an unverified link to {host} was withheld. If you expect it, ask the sender in another way.",
                "Message withheld: unverified link to {host}.",
                "Message withheld: unverified link.",
            ],
            [
                "A message with a dangerous link to {host} was removed. Do not answer it.",
                "Message removed: dangerous link to {host}.",
                "Message removed: dangerous link.",
            ],
        ],
        likenesses: &[
            "safe",
            "verified",
            "checked",
            "trusted",
            "secure",
            "secured",
            "safe link",
            "link safe",
            "link is safe",
            "link ok",
            "link verified",
            "link checked",
            "checked link",
            "trusted link",
            "link trusted",
            "verified safe",
            "verified sender",
            "sender verified",
            "verified message",
            "verified sms",
            "scanned link",
            "link scanned",
            "authentic link",
            "verified links",
            "verified url",
            "verified urls",
            "verified site",
            "verified website",
            "safe links",
            "safe url",
            "safe urls",
            "trusted links",
            "trusted url",
            "checked links",
            "checked url",
            "links verified",
            "links checked",
            "links safe",
            "url verified",
            "url checked",
            "url safe",
            "url is safe",
            "links are safe",
            "checked and safe",
            "verified and safe",
            "safe and verified",
            "scanned and safe",
        ],
    },
    Words {
        code: "de",
        verdicts: ["geprüft", "nicht geprüft", "gefährlich"],
        heads: ["GEPRÜFTER LINK", "UNGEPRÜFTER LINK", "GEFÄHRLICHER LINK"],
        advice: ["Dort nichts eingeben, nicht zahlen.", "Nicht öffnen."],
        notices: [
            [
                "Eine Nachricht mit ungeprüftem Link zu {host} wurde zurückgehalten. Bitte den Absender anders fragen.",
                "Nachricht zurückgehalten: ungeprüfter Link zu {host}.",
                "Nachricht zurückgehalten: ungeprüfter Link.",
            ],
            [
                "Eine Nachricht mit gefährlichem Link zu {host} wurde entfernt. Nicht antworten.",
                "Nachricht entfernt: gefährlicher Link zu {host}.",
                "Nachricht entfernt: gefährlicher Link.",
            ],
        ],
        likenesses: &[
            "sicher",
            "geprüft",
            "verifiziert",
            "sicherer link",
            "link sicher",
            "link geprüft",
            "verifizierter link",
            "geprüfte links",
            "geprüfte url",
            "sichere links",
            "sichere url",
            "verifizierte links",
            "verifizierte url",
            "links geprüft",
            "links sicher",
            "url geprüft",
            "url sicher",
            "geprüft und sicher",
        ],
    },
    Words {
        code: "fr",
        verdicts: ["vérifié", "non vérifié", "dangereux"],
        heads: ["LIEN VÉRIFIÉ", "LIEN NON VÉRIFIÉ", "LIEN DANGEREUX"],
        advice: ["N'y saisissez rien, ne payez pas.", "Ne l'ouvrez pas."],
        notices: [
            [
                "Un message avec un lien non vérifié vers {host} a été retenu. Demandez à l'expéditeur par un autre moyen.",
                "Message retenu: lien non vérifié vers {host}.",
                "Message retenu: lien non vérifié.",
            ],
            [
                "Un message avec un lien dangereux vers {host} a été retiré. N'y répondez pas.",
                "Message retiré: lien dangereux vers {host}.",
                "Message retiré: lien dangereux.",
            ],
        ],
        likenesses: &[
            "vérifié",
            "sécurisé",
            "lien sûr",
            "lien sécurisé",
            "lien contrôlé",
            "expéditeur vérifié",
            "liens vérifiés",
            "liens sûrs",
            "liens sécurisés",
            "url vérifiée",
            "url sûre",
            "url sécurisée",
            "vérifié et sûr",
        ],
    },
    Words {
        code: "es",
        verdicts: ["verificado", "no verificado", "peligroso"],
        heads: ["ENLACE VERIFICADO", "ENLACE NO VERIFICADO", "ENLACE PELIGROSO"],
        advice: ["No introduzca datos ni pague.", "No lo abra."],
        notices: [
            [
                "Se ha retenido un mensaje con un enlace no verificado a {host}. Pregunte al remitente por otro medio.",
                "Mensaje retenido: enlace no verificado a {host}.",
                "Mensaje retenido: enlace no verificado.",
            ],
            [
                "Se ha eliminado un mensaje con un enlace peligroso a {host}. No responda.",
                "Mensaje eliminado: enlace peligroso a {host}.",
                "Mensaje eliminado: enlace peligroso.",
            ],
        ],
        likenesses: &[
            "seguro",
            "verificado",
            "enlace seguro",
            "link seguro",
            "link verificado",
            "remitente verificado",
            "enlaces verificados",
            "enlaces seguros",
            "links verificados",
            "links seguros",
            "url verificada",
            "url segura",
            "verificado y seguro",
        ],
    },
    Words {
        code: "it",
        verdicts: ["verificato", "non verificato", "pericoloso"],
        heads: ["LINK VERIFICATO", "LINK NON VERIFICATO", "LINK PERICOLOSO"],
        advice: ["Non inserire dati, non pagare.", "Non aprirlo."],
        notices: [
            [
                "Un messaggio con un link non verificato a {host} è stato trattenuto. Chiedi al mittente in altro modo.",
                "Messaggio trattenuto: link non verificato a {host}.",
                "Messaggio trattenuto: link non verificato.",
            ],
            [
                "Un messaggio con un link pericoloso a {host} è stato rimosso. Non rispondere.",
                "Messaggio rimosso: link pericoloso a {host}.",
                "Messaggio rimosso: link pericoloso.",
            ],
        ],
        likenesses: &[
            "sicuro",
            "verificato",
            "link sicuro",
            "link controllato",
            "mittente verificato",
            "link verificati",
            "link sicuri",
            "url verificato",
            "url verificata",
            "url sicuro",
            "url sicura",
            "verificato e sicuro",
        ],
    },
    Words {
        code: "pt",
        verdicts: ["verificado", "nao verificado", "perigoso"],
        heads: ["LINK VERIFICADO", "LINK NAO VERIFICADO", "LINK PERIGOSO"],
        advice: ["Nao insira dados nem pague.", "Nao abra."],
        notices: [
            [
                "Uma mensagem com um link nao verificado para {host} foi retida. Pergunte ao remetente por outro meio.",
                "Mensagem retida: link nao verificado para {host}.",
                "Mensagem retida: link nao verificado.",
            ],
            [
                "Uma mensagem com um link perigoso para {host} foi removida. Nao responda.",
                "Mensagem removida: link perigoso para {host}.",
                "Mensagem removida: link perigoso.",
            ],
        ],
        likenesses: &[
            "remetente verificado",
            "ligacao segura",
            "ligacao verificada",
            "ligacoes seguras",
            "ligacoes verificadas",
            "verificado e seguro",
        ],
    },
    Words {
        code: "nl",
        verdicts: ["gecontroleerd", "niet gecontroleerd", "gevaarlijk"],
        heads: ["GECONTROLEERDE LINK", "NIET GECONTROLEERDE LINK", "GEVAARLIJKE LINK"],
        advice: ["Vul daar niets in en betaal niet.", "Niet openen."],
        notices: [
            [
                "Een bericht met een niet gecontroleerde link naar {host} is tegengehouden. Vraag de afzender op een andere manier.",
                "Bericht tegengehouden: niet gecontroleerde link naar {host}.",
                "Bericht tegengehouden: niet gecontroleerde link.",
            ],
            [
                "Een bericht met een gevaarlijke link naar {host} is verwijderd. Antwoord niet.",
                "Bericht verwijderd: gevaarlijke link naar {host}.",
                "Bericht verwijderd: gevaarlijke link.",
            ],
        ],
        likenesses: &[
            "veilig",
            "gecontroleerd",
            "geverifieerd",
            "veilige link",
            "link veilig",
            "geverifieerde link",
            "gecontroleerde links",
            "veilige links",
            "geverifieerde links",
            "gecontroleerde url",
            "veilige url",
            "geverifieerde url",
            "gecontroleerd en veilig",
        ],
    },
    Words {
        code: "pl",
        verdicts: ["sprawdzony", "niesprawdzony", "niebezpieczny"],
        heads: ["SPRAWDZONY LINK", "NIESPRAWDZONY LINK", "NIEBEZPIECZNY LINK"],
        advice: ["Nie podawaj tam danych i nie plac.", "Nie otwieraj."],
        notices: [
            [
                "Zatrzymano wiadomosc z niesprawdzonym linkiem do {host}. Zapytaj nadawce w inny sposob.",
                "Wiadomosc zatrzymana: niesprawdzony link do {host}.",
                "Wiadomosc zatrzymana: niesprawdzony link.",
            ],
            [
                "Usunieto wiadomosc z niebezpiecznym linkiem do {host}. Nie odpowiadaj.",
                "Wiadomosc usunieta: niebezpieczny link do {host}.",
                "Wiadomosc usunieta: niebezpieczny link.",
            ],
        ],
        likenesses: &[
            "bezpieczny",
            "sprawdzony",
            "zweryfikowany",
            "bezpieczny link",
            "link bezpieczny",
            "link sprawdzony",
            "link zweryfikowany",
            "sprawdzone linki",
            "bezpieczne linki",
            "zweryfikowane linki",
            "sprawdzony url",
            "bezpieczny url",
            "zweryfikowany url",
            "sprawdzony i bezpieczny",
        ],
    },
    Words {
        code: "tr",
        verdicts: ["dogrulandi", "dogrulanmadi", "tehlikeli"],
        heads: ["DOGRULANMIS LINK", "DOGRULANMAMIS LINK", "TEHLIKELI LINK"],
        advice: ["Bilgi girmeyin, odeme yapmayin.", "Acmayin."],
        notices: [
            [
                "{host} adresine dogrulanmamis link iceren bir mesaj tutuldu. Gondericiye baska yoldan sorun.",
                "Mesaj tutuldu: dogrulanmamis link {host}.",
                "Mesaj tutuldu: dogrulanmamis link.",
            ],
            [
                "{host} adresine tehlikeli link iceren bir mesaj silindi. Yanit vermeyin.",
                "Mesaj silindi: tehlikeli link {host}.",
                "Mesaj silindi: tehlikeli link.",
            ],
        ],
        likenesses: &[
            "güvenli",
            "dogrulandi",
            "güvenli link",
            "güvenli baglanti",
            "dogrulanmis baglanti",
            "güvenli linkler",
            "güvenli url",
            "güvenli baglantilar",
            "dogrulanmis linkler",
            "dogrulanmis url",
            "dogrulanmis baglantilar",
        ],
    },
    Words {
        code: "ar",
        verdicts: ["تم التحقق", "غير موثوق", "خطير"],
        heads: ["رابط موثوق", "رابط غير موثوق", "رابط خطير"],
        advice: ["لا تدخل بياناتك ولا تدفع.", "لا تفتحه."],
        notices: [
            [
                "حُجبت رسالة فيها رابط غير موثوق {host}. اسأل المرسل بطريقة أخرى.",
                "حُجبت الرسالة: رابط غير موثوق {host}.",
                "حُجبت الرسالة.",
            ],
            ["حُذفت رسالة فيها رابط خطير {host}. لا ترد عليها.", "حُذفت الرسالة: رابط خطير {host}.", "حُذفت الرسالة."],
        ],
        likenesses: &["آمن", "موثوق", "رابط آمن", "تم التحقق", "روابط آمنة", "روابط موثوقة"],
    },
    Words {
        code: "hi",
        verdicts: ["सत्यापित", "असत्यापित", "खतरनाक"],
        heads: ["सत्यापित लिंक", "असत्यापित लिंक", "खतरनाक लिंक"],
        advice: ["वहां लॉग इन या भुगतान न करें।", "न खोलें।"],
        notices: [
            [
                "असत्यापित लिंक {host} वाला संदेश रोका गया। भेजने वाले से अन्य तरीके से पूछें।",
                "संदेश रोका गया: असत्यापित लिंक {host}",
                "संदेश रोका गया।",
            ],
            ["खतरनाक लिंक {host} वाला संदेश हटाया गया। उत्तर न दें।", "संदेश हटाया गया: खतरनाक लिंक {host}", "संदेश हटाया गया।"],
        ],
        likenesses: &["सुरक्षित", "सत्यापित", "सुरक्षित लिंक", "सत्यापित यूआरएल", "सुरक्षित यूआरएल"],
    },
];

/// Every language that ships, English first.
pub fn shipped() -> Vec<LanguageSpec> {
    SHIPPED.iter().map(spec).collect()
}

/// The shipped words of one language.
pub fn language(code: &str) -> Option<LanguageSpec> {
    SHIPPED.iter().find(|words| words.code == code).map(spec)
}

/// The codes of the languages that ship.
pub fn codes() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|words| words.code)
}

/// What an imitation would say, in every language: it need not be the recipient's.
pub(super) fn likenesses() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().flat_map(|words| words.likenesses.iter().chain(&words.heads).copied())
}

/// What of it is said of safe links.
pub(super) fn likenesses_of_safe() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().flat_map(|words| words.likenesses.iter().chain(words.heads.first()).copied())
}

fn spec(words: &Words) -> LanguageSpec {
    let [safe, unknown, dangerous] = words.heads;
    let forms = |head: &str, advice: &str, mark: &str| {
        vec![
            format!("{{brand}} {head} {{host}}. {advice}\n"),
            format!("{head} {{host}}:\n"),
            format!("{head}:\n"),
            mark.to_owned(),
        ]
    };
    let notices = |[long, middle, short]: [&str; 3]| vec![format!("{{brand}} {long}"), middle.to_owned(), short.to_owned()];
    let [advice_unknown, advice_dangerous] = words.advice;
    let [notices_unknown, notices_dangerous] = words.notices;
    LanguageSpec {
        code: words.code.to_owned(),
        verdicts: words.verdicts.map(str::to_owned),
        labels: [
            vec![format!("{{brand}} {safe} {{host}}:\n"), format!("{safe}:\n")],
            forms(unknown, advice_unknown, MARK_UNKNOWN),
            forms(dangerous, advice_dangerous, MARK_DANGEROUS),
        ],
        notices: [Vec::new(), notices(notices_unknown), notices(notices_dangerous)],
    }
}

/// Whether a character is in the GSM 7-bit default alphabet (TS 23.038 §6.2.1), its extension left out.
pub(super) fn in_gsm7(c: char) -> bool {
    matches!(c, ' '..='Z' | 'a'..='z' | '\n' | '\r') && c != '`' || "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_languages_keep_to_the_default_alphabet() {
        let outside = |spec: &LanguageSpec| {
            let texts = spec.labels.iter().chain(&spec.notices).flatten().chain(&spec.verdicts);
            texts.flat_map(|text| text.replace(['{', '}'], "").chars().collect::<Vec<_>>()).find(|&c| !in_gsm7(c))
        };
        let beyond: Vec<_> = shipped().iter().filter_map(|spec| Some((spec.code.clone(), outside(spec)?))).collect();
        let codes: Vec<_> = beyond.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, ["ar", "hi"], "{beyond:?}");
    }

    #[test]
    fn forms_shrink_to_a_mark_of_four_septets() {
        for spec in shipped() {
            for forms in &spec.labels[1..] {
                assert!(forms.is_sorted_by_key(|form| std::cmp::Reverse(form.chars().count())), "{}", spec.code);
                assert!(forms.last().is_some_and(|mark| mark.chars().count() <= 4 && mark.is_ascii()), "{}", spec.code);
            }
        }
    }
}
