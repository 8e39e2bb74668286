//! What can be written on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The desk of Zero Trust SMS: sources, decisions, and the verdict directory that filters follow.
#[derive(Parser)]
#[command(
    name = "ztsms-console",
    version,
    after_help = "Example: ztsms-console serve --data /var/lib/ztsms-console --listen 127.0.0.1:8443"
)]
pub(super) struct Cli {
    /// The data directory. A running `serve` is asked through its socket; without one the command does its work itself.
    #[arg(long, global = true, default_value = "/var/lib/ztsms-console", value_name = "DIR")]
    pub(super) data: PathBuf,
    /// The socket of ztsms-fetch, which goes out for lists at an address.
    #[arg(long, global = true, default_value = crate::desk::FETCH, value_name = "SOCKET")]
    pub(super) fetch: PathBuf,
    /// Answers as one JSON object.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Do,
}

#[derive(Subcommand)]
pub(super) enum Do {
    /// Run: HTTP, schedules, the admin socket.
    #[command(after_help = "Example: ztsms-console serve --data ./desk --listen 127.0.0.1:8443")]
    Serve(Serve),
    /// What is in force and what is wrong.
    #[command(after_help = "Example: ztsms-console status --data ./desk")]
    Status,
    /// Decide about a pattern; what it changes is shown first.
    #[command(after_help = "Example: ztsms-console decide evil.example dangerous --reason 'ticket 4711' --expires 30d")]
    Decide(Decide),
    /// Take a decision back; what it changes is shown first.
    #[command(after_help = "Example: ztsms-console undo 12 --reason 'the owner called'")]
    Undo(Undo),
    /// The decisions in force, newest first.
    #[command(after_help = "Example: ztsms-console decisions --all")]
    Decisions {
        /// Ended ones too.
        #[arg(long)]
        all: bool,
        /// How many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        most: usize,
    },
    /// Lists: where verdicts come from.
    #[command(alias = "source")]
    Feed {
        #[command(subcommand)]
        command: FeedCommand,
    },
    /// Look at a source now.
    #[command(after_help = "Example: ztsms-console import openphish")]
    Import {
        /// The source.
        name: String,
        /// Let it count whatever the limits say.
        #[arg(long)]
        force: bool,
    },
    /// Names that no feed may call dangerous, and senders that carry their own hosts only.
    Protect {
        #[command(subcommand)]
        command: ProtectCommand,
    },
    /// Rules of filters' policies: let one only observe, at once, or act again.
    Rule {
        #[command(subcommand)]
        command: RuleCommand,
    },
    /// What a person let act after a brake: no brake suspends it again, until it is to be watched again.
    Brake {
        #[command(subcommand)]
        command: BrakeCommand,
    },
    /// Put all filters into observe, at once.
    #[command(after_help = "Example: ztsms-console observe complaints about bank.example; ztsms-console observe --off")]
    Observe {
        /// Why.
        #[arg(required_unless_present = "off")]
        reason: Vec<String>,
        /// Filters act again.
        #[arg(long, conflicts_with = "reason")]
        off: bool,
    },
    /// Count what is new in a filter's spool; a running `serve --spool DIR` does so by itself.
    #[command(after_help = "Example: ztsms-console census /var/lib/ztsms/spool")]
    Census {
        /// The folder of its segments.
        dir: PathBuf,
    },
    /// What would happen if filters acted today, and what to decide first.
    #[command(after_help = "Example: ztsms-console readiness --subscribers 5000000 --domains 100")]
    Readiness(super::census::ReadinessArgs),
    /// Let filters act: not while too many links are unknown.
    #[command(after_help = "Example: ztsms-console enforce; ztsms-console enforce --force 'a pilot with staff only'")]
    Enforce(super::census::Enforce),
    /// What is unknown and waits for people.
    Triage {
        #[command(subcommand)]
        command: super::triage::TriageCommand,
    },
    /// Build a snapshot of everything that counts, now.
    #[command(after_help = "Example: ztsms-console build")]
    Build,
    /// Names that are to be safe: proposed, looked into, agreed to by people, watched.
    #[command(alias = "verification")]
    Verify {
        #[command(subcommand)]
        command: super::verify::VerifyCommand,
    },
    /// The desk's time beside the wall clock, which it does not follow over a jump.
    #[command(after_help = "Example: ztsms-console clock; ztsms-console clock --accept 'the battery was dead, NTP is right'")]
    Clock {
        /// The wall clock is right: take its time, whatever ends by it.
        #[arg(long, value_name = "REASON")]
        accept: Option<String>,
    },
    /// Keys of the API.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// The audit log.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Back up everything that cannot be made again, while the console runs. Without keys, unless they are sealed.
    #[command(after_help = "Example: ztsms-console backup /srv/backup/desk.tar.gz --keys-for backup.pub")]
    Backup {
        /// The file to be written.
        to: PathBuf,
        /// A file with the public key that keys are sealed for (`backup-key` makes one).
        #[arg(long, value_name = "FILE")]
        keys_for: Option<PathBuf>,
    },
    /// Put a backup back into the data directory, which must hold nothing yet, and compare.
    #[command(after_help = "Example: ztsms-console restore /srv/backup/desk.tar.gz --data ./desk2 --key backup.key")]
    Restore {
        /// The backup.
        from: PathBuf,
        /// A file with the secret key that its keys were sealed for; without it new ones are made.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Make a key pair for backups: the secret half into a file, the public half on standard output.
    #[command(after_help = "Example: ztsms-console backup-key /media/safe/backup.key > backup.pub")]
    BackupKey {
        /// The file for the secret half; it must not exist.
        file: PathBuf,
    },
}

#[derive(Args)]
pub(super) struct Serve {
    /// Where to answer HTTP.
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDR:PORT")]
    pub(super) listen: SocketAddr,
    /// Answer beyond this machine: something in front ends TLS and lets nobody else through.
    #[arg(long)]
    pub(super) behind_proxy: bool,
    /// Show in triage what a filter's `[work]` in this folder says.
    #[arg(long, value_name = "DIR", requires = "work_key")]
    pub(super) work: Option<PathBuf>,
    /// The file with the secret key that it is sealed for (`ztsms spool keygen`).
    #[arg(long, value_name = "FILE", requires = "work")]
    pub(super) work_key: Option<PathBuf>,
    /// Expand short links through ztsms-fetch, which has to be run with `--on …,expand`. Off without this.
    #[arg(long)]
    pub(super) expand: bool,
    /// How platforms say where a link leads [default: a few well-known shorteners]; see docs/verdicts.md.
    #[arg(long, value_name = "FILE", requires = "expand")]
    pub(super) recipes: Option<PathBuf>,
    /// Ask a provider of verdicts about unknown hosts, as this file says, through ztsms-fetch, which has to be run with `--on …,live`. Off
    /// without this.
    #[arg(long, value_name = "FILE")]
    pub(super) live: Option<PathBuf>,
    /// The policy of `/api/v1/scan` [default: ztsms.toml, else built in]; SIGHUP reads it anew.
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// Append each head of the audit log to this file, beside standard error; it should lie on another machine's disk.
    #[arg(long, value_name = "FILE")]
    pub(super) audit_log: Option<PathBuf>,
    /// A filter's spool, for the census and the brakes; may be repeated.
    #[arg(long = "spool", value_name = "DIR")]
    pub(super) spools: Vec<PathBuf>,
    /// Per cent of all messages of a minute beyond which an entry or a source is suspended.
    #[arg(long, default_value_t = 0.5, value_name = "PER CENT", value_parser = percent)]
    pub(super) brake_percent: f64,
    /// Times its usual share beyond which it is.
    #[arg(long, default_value_t = 10.0, value_name = "TIMES", value_parser = times)]
    pub(super) brake_times: f64,
    /// Messages a minute below which nothing is judged.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(super) brake_minimum: u64,
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| *percent > 0.0 && *percent < 100.0);
    percent.ok_or_else(|| format!("{text:?}: more than 0 and less than 100, as 0.5"))
}

fn times(text: &str) -> Result<f64, String> {
    let times = text.parse().ok().filter(|times: &f64| *times > 1.0 && times.is_finite());
    times.ok_or_else(|| format!("{text:?}: more than 1, as 10"))
}

#[derive(Args)]
pub(super) struct Decide {
    /// `host` (and what is below), `=host`, `host/path`, `@host` (a platform).
    pub(super) pattern: String,
    /// safe, dangerous or unknown; none for a platform.
    #[arg(default_value = "")]
    pub(super) verdict: String,
    /// Why.
    #[arg(long)]
    pub(super) reason: String,
    /// When it ends: 2026-12-31, 2026-12-31T18:00:00Z, or 90d, 12h from now.
    #[arg(long, value_name = "TIME")]
    pub(super) expires: Option<String>,
    /// `safe` holds for this sender only; may be repeated.
    #[arg(long = "sender", value_name = "SENDER")]
    pub(super) senders: Vec<String>,
    /// Category, free words.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) category: String,
    /// Do it without asking.
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Args)]
pub(super) struct Undo {
    /// The decision's number.
    pub(super) id: i64,
    /// Why.
    #[arg(long)]
    pub(super) reason: String,
    /// Do it without asking.
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Subcommand)]
pub(super) enum FeedCommand {
    /// Add a source, or change what is said of it.
    #[command(
        after_help = "Example: ztsms-console feed set openphish /srv/lists/openphish.txt --dangerous --category phishing --every 1h"
    )]
    Set(Box<FeedSet>),
    /// All sources.
    List,
    /// The versions of a source, newest first.
    History {
        /// The source.
        name: String,
    },
    /// Make the version before count again, or the one of that number.
    Back {
        /// The source.
        name: String,
        /// A version of `feed history`.
        #[arg(long, value_name = "N")]
        to: Option<i64>,
    },
    /// Let the newest version count that was held back.
    Accept {
        /// The source.
        name: String,
    },
    /// Let a source not count.
    Suspend {
        /// The source.
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let it count again.
    Resume {
        /// The source.
        name: String,
    },
    /// Take a source away, with its history.
    Remove {
        /// The source.
        name: String,
    },
    /// What feeds call dangerous at or below a protected name: left out until a person decides.
    Conflicts,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("lends").required(true))]
pub(super) struct FeedSet {
    /// Its name in records.
    pub(super) name: String,
    /// A file, a folder, or an http(s):// address.
    pub(super) place: String,
    /// Its entries are dangerous.
    #[arg(long, group = "lends")]
    pub(super) dangerous: bool,
    /// Its entries are safe.
    #[arg(long, group = "lends")]
    pub(super) safe: bool,
    /// Its entries are unknown, whatever stands above them.
    #[arg(long, group = "lends")]
    pub(super) unknown: bool,
    /// Its entries are platforms.
    #[arg(long, group = "lends")]
    pub(super) platform: bool,
    /// A list of our own: each line has its verdict and counts as local.
    #[arg(long, group = "lends")]
    pub(super) own: bool,
    /// A ranked list: no verdict, orders triage.
    #[arg(long, group = "lends")]
    pub(super) rank: bool,
    /// Category of its entries.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) category: String,
    /// Of sources that say the same of one pattern, the highest is named, with its category and end. It makes no verdict.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(super) priority: u8,
    /// Time between two looks: 30m, 1h, 1d. Without it only when told.
    #[arg(long, value_name = "TIME")]
    pub(super) every: Option<String>,
    /// It counts so long after the last good look.
    #[arg(long, value_name = "TIME")]
    pub(super) ttl: Option<String>,
    /// Held back with less than this share of its entries.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub(super) least_share: f64,
    /// Held back with more than this many times its entries.
    #[arg(long, default_value_t = 10.0, value_name = "TIMES")]
    pub(super) most_growth: f64,
    /// Octets of the list, unpacked, beyond which it is refused.
    #[arg(long, default_value_t = 2 << 30, value_name = "OCTETS")]
    pub(super) most_octets: i64,
    /// Under which licence it may be used.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) licence: String,
}

#[derive(Subcommand, Clone)]
pub(super) enum RuleCommand {
    /// Let every rule of that name only observe.
    #[command(after_help = "Example: ztsms-console rule suspend 'no banks by phone' --reason 'complaints'")]
    Suspend {
        /// Its name in the policy.
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let it act again.
    Resume {
        /// Its name in the policy.
        name: String,
    },
    /// Those that are suspended.
    List,
}

#[derive(Subcommand, Clone)]
pub(super) enum BrakeCommand {
    /// What no brake suspends.
    List,
    /// Watch it again.
    #[command(after_help = "Example: ztsms-console brake again 'entry shop.example' --reason 'the campaign is over'")]
    Again {
        /// As `brake list` names it.
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Subcommand, Clone)]
pub(super) enum ProtectCommand {
    /// No feed calls this host, or what is below it, dangerous without a person.
    Host {
        /// The host.
        host: String,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// No longer.
    Unhost {
        /// The host.
        host: String,
    },
    /// This sender, and who looks like it, carries links to these hosts and to no other.
    Sender {
        /// The sender as it is shown.
        sender: String,
        /// Its hosts.
        #[arg(required = true)]
        hosts: Vec<String>,
    },
    /// No longer.
    Unsender {
        /// The sender.
        sender: String,
    },
    /// Both.
    List,
}

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; it is shown this once.
    #[command(
        after_help = "Example: ztsms-console key create --scope scan --name firewall-1 --network 192.0.2.0/24 --expires 365d"
    )]
    Create(KeyCreate),
    /// All keys, without their secrets.
    List,
    /// End a key at once.
    #[command(after_help = "Example: ztsms-console key revoke 3 --reason 'firewall-1 is gone'")]
    Revoke {
        /// The key's number.
        id: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Make a key in place of another, which still holds for a while.
    #[command(after_help = "Example: ztsms-console key rotate 3 --overlap 7d --expires 365d")]
    Rotate {
        /// The old key's number.
        id: i64,
        /// How long the old one still holds.
        #[arg(long, default_value = "7d", value_name = "TIME")]
        overlap: String,
        /// When the new one ends [default: it lives as long as the old one was made for].
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
}

#[derive(Args)]
pub(super) struct KeyCreate {
    /// What it may be used for: scan, verdicts, reports, read; may be repeated.
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    pub(super) scopes: Vec<String>,
    /// A name for people.
    #[arg(long, default_value = "api", value_name = "NAME")]
    pub(super) name: String,
    /// When it ends: 2026-12-31, 2026-12-31T18:00:00Z, or 90d, 12h from now.
    #[arg(long, value_name = "TIME")]
    pub(super) expires: Option<String>,
    /// It may be used from this network only; may be repeated.
    #[arg(long = "network", value_name = "CIDR")]
    pub(super) networks: Vec<String>,
    /// It may ask about this sender only, or about those up to a `*`; may be repeated.
    #[arg(long = "sender", value_name = "SENDER")]
    pub(super) senders: Vec<String>,
    /// Messages a second; 0: no limit.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(super) rate: u32,
}

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Lines of the log.
    List {
        /// From this number on.
        #[arg(long, default_value_t = 1, value_name = "N")]
        from: i64,
        /// How many.
        #[arg(long, default_value_t = 100, value_name = "N")]
        most: usize,
    },
    /// Is every line as it was written, and does each anchor stand in the log?
    #[command(after_help = "Example: ztsms-console audit verify --anchor 42:9f86d0…; a file of heads does too")]
    Verify {
        /// `SEQ:HASH` as it was sent to a log, or a file with such heads.
        #[arg(long = "anchor", value_name = "HEAD|FILE")]
        anchors: Vec<String>,
    },
    /// The end of the log, as `audit verify --anchor` takes it.
    Head,
}
