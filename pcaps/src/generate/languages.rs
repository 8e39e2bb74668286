//! The templates. `{link}`, `{name}`, `{firm}`, `{time}`, `{code}`, `{sum}` and `{n}` are filled in; all words are ours.
//! Latin ones keep to the characters of the GSM 7-bit default alphabet, Turkish ones to its national tables.

use super::Language;

pub(super) struct Phrases {
    pub(super) plain: &'static [&'static str],
    pub(super) with_link: &'static [&'static str],
}

pub(super) const fn phrases(language: Language) -> &'static Phrases {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
        Language::French => &FRENCH,
        Language::Italian => &ITALIAN,
        Language::Turkish => &TURKISH,
        Language::Greek => &GREEK,
        Language::Russian => &RUSSIAN,
        Language::Arabic => &ARABIC,
        Language::Hindi => &HINDI,
        Language::Chinese => &CHINESE,
    }
}

const ENGLISH: Phrases = Phrases {
    plain: &[
        "{code} is your code for {firm}. It is good for {n} minutes.",
        "Hi {name}, I am {n} minutes late, start without me.",
        "Your table for {n} is kept until {time}.",
        "Can you bring bread and {n} eggs? Thanks, {name}",
        "{firm}: we took {sum} EUR from your account today.",
        "Train at {time} from platform {n}, do not be late!",
        "Happy birthday {name}! Hope to see you at {time}.",
        "Reminder: your visit is tomorrow at {time}. To move it, answer MOVE.",
        "ok",
        "The meeting with {name} is off, we talk at {time} instead.",
        "Version 2.{n}.1 is out, {name} tried it e.g. on the old phone.",
        "Credit {sum} [prepaid], thank you for using {firm} {n}.",
    ],
    with_link: &[
        "Your parcel {code} comes today at {time}. Follow it: {link}",
        "{firm}: your statement is ready at {link}",
        "Look at this, {name}: {link}",
        "Sign in from a new phone at {time}. Was it not you? {link}",
        "Your bill of {sum} EUR can be paid here {link} until Friday.",
        "{link} is the page I told you about",
        "How was your visit to {firm}? Tell us: {link} Thank you!",
        "{name} shared {n} photos with you {link}",
    ],
};

const GERMAN: Phrases = Phrases {
    plain: &[
        "{code} ist Ihr Code für {firm}, gültig {n} Minuten.",
        "Hallo {name}, ich komme {n} Minuten später, fangt schon an!",
        "Der Tisch ist bis {time} für {n} Personen reserviert.",
        "Bringst du bitte Brötchen und {n} Äpfel mit? Grüße {name}",
        "{firm}: heute wurden {sum} EUR abgebucht.",
        "Der Zug fährt um {time} von Gleis {n}.",
        "Alles Gute zum Geburtstag, {name}! Bis später um {time}.",
        "Erinnerung: Ihr Termin ist morgen um {time} Uhr.",
        "Schöne Grüße aus Köln, hier sind es {n} Grad.",
    ],
    with_link: &[
        "Ihr Paket {code} kommt heute um {time}. Verfolgen: {link}",
        "{firm}: Ihre Abrechnung über {sum} EUR liegt bereit: {link}",
        "Schau mal, {name}: {link}",
        "Anmeldung auf neuem Gerät um {time}. Waren Sie das nicht? {link}",
        "{name} hat {n} Bilder mit dir geteilt {link}",
        "Bitte bestätigen Sie Ihre Adresse unter {link} bis {time}.",
    ],
};

const FRENCH: Phrases = Phrases {
    plain: &[
        "{code} est votre code {firm}, valable {n} minutes.",
        "Salut {name}, je serai là dans {n} minutes.",
        "Votre table est réservée à {time} pour {n} personnes.",
        "Tu peux acheter du pain et {n} oeufs ? Merci, {name}",
        "{firm} : un paiement de {sum} EUR a été effectué.",
        "Le train part à {time}, voie {n}.",
        "Bon anniversaire {name} ! On se voit à {time}.",
        "Rappel : rendez-vous demain à {time}.",
    ],
    with_link: &[
        "Votre colis {code} arrive à {time}. Suivi : {link}",
        "{firm} : votre relevé est disponible sur {link}",
        "Regarde, {name} : {link}",
        "Connexion d'un nouvel appareil à {time}. Ce n'était pas vous ? {link}",
        "Réglez {sum} EUR avant vendredi : {link} merci",
        "{name} a partagé {n} photos {link}",
    ],
};

const ITALIAN: Phrases = Phrases {
    plain: &[
        "{code} è il tuo codice {firm}, scade tra {n} minuti.",
        "Ciao {name}, arrivo tra {n} minuti.",
        "Il tavolo è prenotato per le {time}, siete in {n}.",
        "Puoi comprare il pane e {n} uova? Grazie, {name}",
        "{firm}: addebito di {sum} EUR sul tuo conto.",
        "Il treno parte alle {time} dal binario {n}.",
        "Auguri {name}! Ci vediamo alle {time}, più o meno.",
        "Promemoria: la visita è lunedì alle {time}.",
    ],
    with_link: &[
        "Il tuo pacco {code} arriva alle {time}. Seguilo: {link}",
        "{firm}: il tuo estratto conto è qui {link}",
        "Guarda qua {name}: {link}",
        "Accesso da un nuovo telefono alle {time}. Non eri tu? {link}",
        "Paga {sum} EUR entro venerdì: {link} grazie",
        "{name} ha condiviso {n} foto {link}",
    ],
};

const TURKISH: Phrases = Phrases {
    plain: &[
        "{firm} kodunuz {code}, {n} dakika geçerlidir.",
        "Merhaba {name}, {n} dakika gecikeceğim, siz başlayın.",
        "Masanız saat {time} için ayrıldı, {n} kişilik.",
        "Ekmek ve {n} yumurta alır mısın? Teşekkürler {name}",
        "Tren saat {time} kalkıyor, peron {n}.",
        "İyi ki doğdun {name}! Akşam {time} görüşürüz.",
    ],
    with_link: &[
        "Kargonuz {code} bugün {time} geliyor. İzleyin: {link}",
        "{firm}: hesap özetiniz hazır {link}",
        "Şuna bak {name}: {link}",
        "Yeni cihazdan giriş yapıldı. Siz değil misiniz? {link}",
    ],
};

const GREEK: Phrases = Phrases {
    plain: &[
        "Ο κωδικός σας είναι {code}, ισχύει {n} λεπτά.",
        "Γεια σου {name}, θα αργήσω {n} λεπτά.",
        "Το τραπέζι σας είναι έτοιμο στις {time}.",
        "Το τρένο φεύγει στις {time}.",
        "Χρόνια πολλά {name}!",
    ],
    with_link: &["Το δέμα σας έρχεται: {link}", "Δες αυτό: {link}", "Ο λογαριασμός σας: {link}"],
};

const RUSSIAN: Phrases = Phrases {
    plain: &[
        "Ваш код {code}, действует {n} минут.",
        "Привет, {name}, опоздаю на {n} минут.",
        "Столик ждёт вас в {time}.",
        "Купи хлеба и {n} яиц, пожалуйста.",
        "Поезд отходит в {time}, путь {n}.",
        "С днём рождения, {name}!",
        "Списание {sum} EUR, {firm}.",
    ],
    with_link: &["Ваша посылка уже в пути: {link}", "Смотри, {name}: {link}", "Выписка готова: {link}", "Это были не вы? {link}"],
};

const ARABIC: Phrases = Phrases {
    plain: &[
        "رمزك هو {code} صالح لمدة {n} دقيقة.",
        "سأتأخر {n} دقيقة.",
        "موعدك غدا الساعة {time}.",
        "القطار الساعة {time}.",
        "كل عام وأنت بخير!",
    ],
    with_link: &["طردك في الطريق: {link}", "انظر: {link}", "كشف حسابك جاهز: {link}"],
};

const HINDI: Phrases = Phrases {
    plain: &[
        "आपका कोड {code} है।",
        "मैं {n} मिनट देर से आऊँगा।",
        "कल {time} बजे मिलते हैं।",
        "गाड़ी {time} बजे जाएगी।",
        "जन्मदिन मुबारक {name}!",
    ],
    with_link: &["आपका पार्सल: {link}", "यह देखो: {link}", "आपका बिल तैयार है: {link}"],
};

const CHINESE: Phrases = Phrases {
    plain: &[
        "您的验证码是{code}，{n}分钟内有效。",
        "我晚到{n}分钟，你们先开始。",
        "明天{time}开会，请准时参加。",
        "火车{time}出发，{n}号站台。",
        "生日快乐！",
    ],
    with_link: &["您的包裹今天送达：{link}", "看看这个 {link} 很有意思", "账单已出，请查看 {link}"],
};
