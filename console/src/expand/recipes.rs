//! Which platforms are asked, and how each says where a link leads: a file of the operator's, or the few that ship.

use std::collections::HashSet;
use std::path::Path;

use dataplane::suffix::Suffixes;
use dataplane::verdicts::pattern::{Buffers, Kind, Pattern};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use ztsms_fetch::guard;
use ztsms_fetch::protocol::{How, Method, Platform, Platforms};

use crate::{Error, Result, time};

const SHIPPED: &str = include_str!("recipes.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    platform: Vec<Recipe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    host: String,
    how: How,
    #[serde(default)]
    method: Method,
    /// Whoever made a link may change where it leads, unless the platform says that nobody can.
    #[serde(default = "yes")]
    editable: bool,
    per_minute: Option<u32>,
    ttl: Option<String>,
    source: String,
}

fn yes() -> bool {
    true
}

/// A set of recipes.
#[derive(Clone, Debug)]
pub struct Recipes {
    set: Platforms,
    hosts: HashSet<String>,
}

/// A link on a platform with a recipe.
#[derive(Debug, PartialEq, Eq)]
pub struct Link<'r> {
    /// Its key string.
    pub key: String,
    /// The platform.
    pub platform: &'r str,
}

impl Recipes {
    /// Those that ship.
    ///
    /// # Errors
    /// None that a test of this module would not have met.
    pub fn shipped() -> Result<Self> {
        Self::parse("the recipes that ship", SHIPPED)
    }

    /// Those of a file.
    ///
    /// # Errors
    /// It cannot be read; the line or the recipe that is wrong, and what would be right.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path, "read"))?;
        Self::parse(&path.display().to_string(), &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|why| Error::Refused(format!("{name}: {}", why.to_string().trim_end())))?;
        let (suffixes, mut hosts, mut platforms) = (Suffixes::built_in(), HashSet::new(), Vec::new());
        for recipe in file.platform {
            let wrong = |why: String| Error::Refused(format!("{name}: platform {:?}: {why}", recipe.host));
            let host = guard::ascii(&recipe.host).map_err(|why| wrong(why.to_string()))?;
            let seconds = |text: &String| {
                let seconds = time::duration(text).and_then(|seconds| u64::try_from(seconds).ok());
                seconds.ok_or_else(|| wrong(format!("ttl {text:?}: a time like 6h or 1d")))
            };
            let ttl_s = recipe.ttl.as_ref().map(seconds).transpose()?;
            if ttl_s.is_some_and(|seconds| seconds > 7 * 86_400) {
                return Err(wrong("ttl is 7d at most".to_owned()));
            }
            if suffixes.is_suffix(&host) && !suffixes.is_private(&host) {
                return Err(wrong("everybody registers names there: name the platforms below it".to_owned()));
            }
            if matches!((recipe.how, recipe.method), (How::MetaRefresh, Method::Head)) {
                return Err(wrong("meta-refresh reads the page, which head does not ask for: method = \"get\"".to_owned()));
            }
            if recipe.per_minute == Some(0) {
                return Err(wrong("per_minute is 1 at least".to_owned()));
            }
            if recipe.source.trim().is_empty() {
                return Err(wrong("source: the page that says how it redirects".to_owned()));
            }
            if !hosts.insert(host.clone()) {
                return Err(wrong("it stands twice".to_owned()));
            }
            let Recipe { how, method, editable, per_minute, .. } = recipe;
            platforms.push(Platform { host, how: Some(how), method, editable, per_minute, ttl_s });
        }
        if platforms.is_empty() {
            return Error::refused(format!("{name}: no platform in it"));
        }
        let version = control::record_json::hex(&Sha256::digest(text));
        Ok(Self { set: Platforms { version, platforms }, hosts })
    }

    /// As `ztsms-fetch` takes them.
    pub fn set(&self) -> &Platforms {
        &self.set
    }

    /// How many platforms.
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// What is to be asked about a link in canonical form: none where it is on no platform here, is a platform's own page, goes to another
    /// port, or is spelt so that it shares its key with another link.
    pub fn link(&self, url: &str) -> Option<Link<'_>> {
        let (_, rest) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
        let host = rest.split(['/', '?', '#', ':']).next()?;
        let below = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        let platform = core::iter::once(host).chain(below).find_map(|name| self.hosts.get(name))?;
        let pattern = Pattern::parse(url, &mut Buffers::default()).ok()?;
        (pattern.kind == Kind::Path && pattern.key == rest).then_some(Link { key: pattern.key, platform })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_good_and_lends_safe_to_nobody() {
        let shipped = Recipes::shipped().unwrap();
        assert_eq!(shipped.len(), shipped.set().platforms.len());
        assert!(shipped.set().platforms.iter().all(|platform| platform.editable && platform.how.is_some()));
    }

    #[test]
    fn a_link_is_asked_about_where_its_key_is_its_own() {
        let recipes = Recipes::shipped().unwrap();
        for (url, key) in [
            ("https://bit.ly/3xAmPle", Some("bit.ly/3xAmPle")),
            ("http://go.bit.ly/a/b?c=d", Some("go.bit.ly/a/b?c=d")),
            ("https://bit.ly/", None),
            ("https://bit.ly/x/", None),
            ("https://bit.ly/%41", None),
            ("https://bit.ly:8080/x", None),
            ("https://notbit.ly/x", None),
            ("https://bit.ly.evil.example/x", None),
            ("market://bit.ly/x", None),
        ] {
            assert_eq!(recipes.link(url).map(|link| link.key).as_deref(), key, "{url}");
        }
        assert_eq!(recipes.link("https://go.bit.ly/x").unwrap().platform, "bit.ly");
    }

    #[test]
    fn what_is_wrong_with_a_recipe_is_said_with_its_line_or_its_name() {
        let one =
            |more: &str| format!("[[platform]]\nhost = \"sho.rt\"\nhow = \"location\"\nsource = \"https://sho.rt/\"\n{more}");
        let why = |text: &str| Recipes::parse("own.toml", text).unwrap_err().to_string();
        assert!(why(&one("edit = false")).contains("line 5"), "{}", why(&one("edit = false")));
        assert!(why("[[platform]]\nhost = \"sho.rt\"\nhow = \"curl\"").contains("meta-refresh"));
        assert!(why("platform = []").contains("no platform"));
        assert!(why(&(one("") + &one(""))).contains("\"sho.rt\": it stands twice"));
        assert!(why(&one("ttl = \"soon\"")).contains("a time like 6h"));
        assert!(why(&one("per_minute = 0")).contains("1 at least"));
        assert!(why(&one("ttl = \"8d\"")).contains("7d at most"));
        assert!(why(&one("method = \"head\"").replace("location", "meta-refresh")).contains("method = \"get\""));
        assert!(why(&one("").replace("sho.rt\"", "co.uk\"")).contains("\"co.uk\": everybody registers names there"));
        assert!(why(&one("").replace("sho.rt\"\nhow", "127.1\"\nhow")).contains("own.toml: platform \"127.1\""));
        assert!(!Recipes::parse("own.toml", &one("editable = false\nttl = \"6h\"")).unwrap().set().platforms[0].editable);
    }
}
