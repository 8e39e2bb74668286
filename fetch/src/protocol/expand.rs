//! Short links: what is asked and answered.

use serde::{Deserialize, Serialize};

use super::{Failure, Limits};

/// The set of platforms and how each is asked. It replaces the one before, whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platforms {
    /// Any text that names this set; requests repeat it.
    pub version: String,
    /// Every platform. A host that is none of them and below none of them is never fetched.
    pub platforms: Vec<Platform>,
}

/// One platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Its host, in ASCII; what is below it belongs to it.
    pub host: String,
    /// How it says where a link leads. Absent: it is a platform and is never fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// How it is asked.
    #[serde(default)]
    pub method: Method,
    /// Who made a link may change where it leads.
    #[serde(default)]
    pub editable: bool,
    /// Fetches a minute, at most. Absent: 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    /// For how long a target is remembered, in seconds. Absent: a day; at most a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
}

/// How a platform says where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// By the `Location` of a 3xx.
    Location,
    /// By `Location`, else by `<meta http-equiv="refresh">` or a `Refresh` header of the page.
    MetaRefresh,
}

/// How a platform is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// GET: some answer nothing else well.
    #[default]
    Get,
    /// HEAD: no page is sent.
    Head,
}

/// The answer to [`Platforms`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformsSet {
    /// The version that is in force now.
    pub version: String,
    /// Platforms in it.
    pub platforms: usize,
    /// Those with a recipe.
    pub recipes: usize,
}

/// Follows one link from platform to platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expand {
    /// The link, on a platform with a recipe.
    pub url: String,
    /// The version of the set of platforms that the client means. Absent: whichever there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platforms: Option<String>,
    /// Limits of each hop.
    #[serde(default)]
    pub limits: Limits,
}

/// Where a short link leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expanded {
    /// The platforms on the way, in order.
    pub hops: Vec<Hop>,
    /// The first URL that is on no platform; it was neither fetched nor resolved. Absent when `stopped` says why.
    pub target: Option<Target>,
    /// Why the way ended on a platform.
    pub stopped: Option<Failure>,
    /// One of the hops lets its owner change the target: never `safe` without a redirect of one's own.
    pub editable: bool,
    /// For how many seconds this may be remembered.
    pub ttl_s: u64,
}

/// One platform on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The link on it, canonical, without user information and fragment.
    pub url: String,
    /// The platform's host, as the set has it.
    pub platform: String,
    /// HTTP status; absent when nothing was answered.
    pub status: Option<u16>,
    /// Who made the link may change where it leads.
    pub editable: bool,
    /// Not fetched now, but remembered.
    pub remembered: bool,
}

/// The first URL on no platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// As WHATWG writes it, user information left out, fragment kept: it may be of any scheme.
    pub url: String,
    /// Its host: a name in ASCII or an address. Absent for `market:`, `tel:` and the like.
    pub host: Option<String>,
    /// The platform's link had user information in front of the host (`https://bank.example@other.example/`).
    pub user_info: bool,
}
