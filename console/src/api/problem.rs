//! What is answered when something is wrong: problem documents of RFC 9457, with the field at fault.

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// What can be wrong: the end of the problem's `type`, a counter's label, and the status that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No JSON.
    Syntax,
    /// No key, or one that does not hold.
    Unauthenticated,
    /// The key holds and may not do this.
    Forbidden,
    /// There is nothing here.
    NotFound,
    /// Not by this method.
    Method,
    /// The body did not come in time.
    TimeOut,
    /// The same `id` with another content.
    Conflict,
    /// Too much at once.
    TooLarge,
    /// Not `application/json`.
    MediaType,
    /// A field is not as it should be.
    Field,
    /// More messages a second than the key may ask about.
    Rate,
    /// The console cannot answer now.
    Unavailable,
}

impl Kind {
    /// Every kind, in the order of their statuses.
    pub(super) const ALL: [Self; 12] = [
        Self::Syntax,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Method,
        Self::TimeOut,
        Self::Conflict,
        Self::TooLarge,
        Self::MediaType,
        Self::Field,
        Self::Rate,
        Self::Unavailable,
    ];

    /// Name, status and title.
    const fn said(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Syntax => ("syntax", StatusCode::BAD_REQUEST, "The body is no JSON"),
            Self::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED, "No valid key"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "The key may not do this"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::Method => ("method", StatusCode::METHOD_NOT_ALLOWED, "Not by this method"),
            Self::TimeOut => ("time-out", StatusCode::REQUEST_TIMEOUT, "The body did not come in time"),
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "This id stands for another content"),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "Too much at once"),
            Self::MediaType => ("media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not application/json"),
            Self::Field => ("field", StatusCode::UNPROCESSABLE_ENTITY, "A field is not as it should be"),
            Self::Rate => ("rate", StatusCode::TOO_MANY_REQUESTS, "Too many messages a second"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "The console cannot answer now"),
        }
    }

    /// The status and what it is called.
    pub(super) const fn status_and_title(self) -> (StatusCode, &'static str) {
        let (_, status, title) = self.said();
        (status, title)
    }

    /// The end of `urn:ztsms:problem:…`.
    pub(super) const fn name(self) -> &'static str {
        self.said().0
    }
}

/// A request that was not carried out: nothing of it was.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// What is wrong.
    pub(super) kind: Kind,
    /// In this request.
    pub(super) detail: String,
    /// Where: a JSON pointer (RFC 6901) into the body.
    pub(super) field: Option<String>,
    /// Seconds after which it may go well.
    pub(super) again: Option<u64>,
}

/// The document.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document {
    /// `urn:ztsms:problem:` and the kind of problem.
    #[schema(examples("urn:ztsms:problem:field"))]
    r#type: String,
    /// The kind of problem for people.
    title: &'static str,
    /// The status of the answer again.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong in this request.
    detail: String,
    /// The field at fault: a JSON pointer (RFC 6901) into the request's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("/3/text"))]
    field: Option<String>,
}

impl Problem {
    /// Without a field.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), field: None, again: None }
    }

    /// Of a field of the body, by its JSON pointer.
    pub(super) fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: Some(pointer.into()), ..Self::new(Kind::Field, detail) }
    }
}

impl Problem {
    /// With the field of one object as a pointer into the whole body.
    pub(super) fn of(self, pointer: impl Fn(&str) -> String) -> Self {
        Self { field: self.field.as_deref().map(pointer), ..self }
    }
}

impl From<crate::Error> for Problem {
    fn from(error: crate::Error) -> Self {
        Self::new(Kind::Unavailable, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let (name, status, title) = self.kind.said();
        let document = Document {
            r#type: format!("urn:ztsms:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            field: self.field,
        };
        let mut response = (status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Kind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.again {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
