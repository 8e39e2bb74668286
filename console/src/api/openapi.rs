//! The document of the API, OpenAPI 3.1, made from the code that answers.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ArrayBuilder, OneOfBuilder, OpenApi, Ref, RefOr, Schema};
use utoipa::{Modify, PartialSchema, ToSchema};

use super::problem::Document;
use super::{reports, scan, verdicts};

/// A verdict.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document")]
pub(super) enum Verdict {
    None,
    Safe,
    Unknown,
    Dangerous,
}

/// What is to be done with a message.
#[derive(ToSchema)]
#[schema(as = ScanAnswer)]
#[expect(dead_code, reason = "for the document")]
pub(super) struct ScanAnswer {
    /// As asked.
    #[schema(required)]
    id: Option<String>,
    /// Every link, and every reading of it.
    urls: Vec<Link>,
    verdict: Verdict,
    /// What to do; with `observe:` in front, what would have been.
    #[schema(pattern = "^(observe:)?(pass|label|replace|redirect|deaden|silence|reject|notify)$")]
    action: String,
    /// The rule, the form taken, and what stopped the one before.
    why: String,
    /// The text to deliver; null: nothing is.
    #[schema(required)]
    deliver: Option<String>,
    /// With `notify`: what to tell the recipient, by a message from the operator's own address.
    #[schema(required)]
    notice: Option<String>,
    /// Short messages that the text takes as it came.
    #[schema(minimum = 1)]
    segments_before: u16,
    /// Short messages to send: of `deliver`, or of `notice`.
    #[schema(minimum = 0)]
    segments_after: u16,
}

/// What became of a report.
#[derive(ToSchema)]
#[schema(as = ReportAnswer)]
#[expect(dead_code, reason = "for the document")]
pub(super) struct ReportAnswer {
    /// As asked.
    #[schema(required)]
    id: Option<String>,
    /// Its number here.
    #[schema(minimum = 1)]
    report: i64,
    /// It was there before, under the same id.
    repeat: bool,
    /// Every link, and every reading of it.
    urls: Vec<Link>,
    verdict: Verdict,
}

/// One link, as `urls` has it: the shape stands in `docs/schema/ztsms.scan.v1.json`, and [`finished`] puts it in from there.
pub(super) struct Link;

impl PartialSchema for Link {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::default())
    }
}

impl ToSchema for Link {
    fn name() -> Cow<'static, str> {
        "Link".into()
    }
}

/// A link, or why it is none.
pub(super) struct VerdictAnswer;

impl PartialSchema for VerdictAnswer {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new().item(Ref::from_schema_name("Link")).item(Ref::from_schema_name("NoLink")).into()
    }
}

impl ToSchema for VerdictAnswer {
    fn name() -> Cow<'static, str> {
        "VerdictAnswer".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Link".into(), Link::schema()));
        schemas.push(("NoLink".into(), verdicts::NoLink::schema()));
    }
}

/// One object or an array of them.
macro_rules! one_or_many {
    ($name:ident, $of:ty) => {
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let one = || Ref::from_schema_name(<$of>::name());
                let many = ArrayBuilder::new().items(one()).max_items(Some(super::body::MOST));
                OneOfBuilder::new().item(one()).item(many).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push((<$of>::name().into_owned(), <$of>::schema()));
                <$of>::schemas(schemas);
            }
        }
    };
}

one_or_many!(ScanRequests, scan::Request<'static>);
one_or_many!(ScanAnswers, ScanAnswer);
one_or_many!(VerdictRequests, verdicts::Request<'static>);
one_or_many!(VerdictAnswers, VerdictAnswer);
one_or_many!(ReportRequests, reports::Request<'static>);
one_or_many!(ReportAnswers, ReportAnswer);

/// What the whole document says.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Zero Trust SMS", description = "Verdicts for the links of short messages, for any SMS firewall. See docs/integration.md."),
    modifiers(&Bearer),
    components(schemas(Document)),
)]
pub(super) struct Described;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("ztsms_N_HEX").build();
        document.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// The document as it is answered: what the derive cannot say is put in.
pub(super) fn finished(document: &OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let record: Value = serde_json::from_str(include_str!("../../../docs/schema/ztsms.scan.v1.json")).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.insert("Link".to_owned(), record.pointer("/$defs/url").cloned().unwrap_or_default());
        if let Some(url) = schemas.get_mut("NoLink").and_then(|no_link| no_link.pointer_mut("/properties/url")) {
            *url = json!({ "type": "null", "description": "It is no URL." });
        }
        for name in ["ScanAnswer", "ReportAnswer", "NoLink", "Problem", "Reported"] {
            if let Some(schema) = schemas.get_mut(name).and_then(Value::as_object_mut) {
                schema.insert("additionalProperties".to_owned(), json!(false));
            }
        }
    }
    document
}
