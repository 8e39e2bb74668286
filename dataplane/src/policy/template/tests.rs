use super::*;

const VALUES: Values<'_> = Values {
    verdict: "not verified",
    brand: "Acme",
    host: "login.evil.com",
    domain: "evil.com",
    sender: "BANK",
    link: "https://login.evil.com:8080/a?b=c.d",
};

fn write(source: &str, values: &Values<'_>) -> String {
    let mut out = String::new();
    Template::parse(source).unwrap().write(&mut values.once(&mut String::new()), &mut out);
    out
}

#[test]
fn hosts_are_named_in_a_form_that_no_handset_links() {
    assert_eq!(write("{host}|{domain}", &VALUES), "login(.)evil(.)com|evil(.)com");
    assert_eq!(write("{link}", &VALUES), "login(.)evil(.)com8080/abc(.)d");
    assert_eq!(write("{sender}", &Values { sender: "[evil.com]\u{202e}", ..VALUES }), "evil(.)com");
}

#[test]
fn the_length_of_a_form_is_known_before_it_is_written() {
    let long = format!("{}.com", "a".repeat(300));
    let forms = ["{brand} LINK {host}:\n", "{verdict} {sender}{link} ({domain})", "{host} x{host}", "{sender}", "a_b@c"];
    for (host, sender, brand) in
        [("login.evil.com", "BANK", "Acme"), ("a..b~", "x_y [z]", ""), ("", "a@\u{202e}b", "B&C"), (&long, "", "")]
    {
        let values = Values { host, sender, brand, ..VALUES };
        for form in forms {
            let (written, template) = (write(form, &values), Template::parse(form).unwrap());
            let characters = template.characters(&values);
            let is_known = form != "a_b@c" && (sender.is_ascii() || !form.contains("sender"));
            assert_eq!(characters, is_known.then_some(written.len()), "{written}");
            assert!(!is_known || encode::is_plain(&written) && template.least() <= characters, "{written}");
        }
    }
}

#[test]
fn an_empty_value_takes_the_space_behind_it_along() {
    assert_eq!(write("{brand} LINK {host}:", &Values { brand: "", ..VALUES }), "LINK login(.)evil(.)com:");
    assert_eq!(write("{brand} LINK {host} x", &Values { host: "", ..VALUES }), "Acme LINK x");
}

#[test]
fn a_notice_is_known_again_whatever_host_it_names() {
    let notice = Template::parse("{brand} Removed: {host}. Ask {sender}.").unwrap();
    let mut out = String::new();
    notice.write(&mut VALUES.once(&mut String::new()), &mut out);
    assert!(notice.matches(&out, &Values { host: "", ..VALUES }));
    assert!(!notice.matches(&format!("{out} http://evil.com"), &VALUES));
    assert!(!notice.matches(&out.replace("(.)", "."), &VALUES));
    assert!(!notice.matches(&out, &Values { brand: "Other", ..VALUES }));
}

#[test]
fn what_is_wrong_with_a_template_is_named() {
    assert_eq!(Template::parse("{hots}").unwrap_err(), TemplateError::UnknownPlaceholder("hots".into()));
    assert_eq!(Template::parse("a {host").unwrap_err(), TemplateError::Open);
    assert_eq!(Template::parse("").unwrap_err(), TemplateError::Empty);
}

#[test]
fn links_in_the_words_themselves_need_leave() {
    let template = Template::parse("Help: https://help.acme.com/sms.").unwrap();
    assert_eq!(template.foreign_link(&[]), Some("help.acme.com".into()));
    assert_eq!(template.foreign_link(&["help.acme.com".into()]), None);
    assert_eq!(Template::parse("Careful. Do not pay.\n").unwrap().foreign_link(&[]), None);
}
