//! What can be typed.

#[cfg(all(feature = "live", target_os = "linux"))]
mod live;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::config::Variant;
use crate::terminal::Colour;

#[cfg(all(feature = "live", target_os = "linux"))]
pub(super) use live::{Check, Inline, Lab, Tap, Wire};

/// A verdict for every link in every SMS on a signalling network.
#[derive(Debug, Parser)]
#[command(name = "ztsms", version, about, max_term_width = 100, disable_help_subcommand = true, arg_required_else_help = true)]
#[command(after_help = "Example:\n  ztsms replay capture.pcapng\n\nExit status: 0 done; 1 something failed or part of the \
                        input could not be read; 2 usage.")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Colours on a terminal; `NO_COLOR` is obeyed
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = false)]
    pub(super) color: Colour,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Captures in, a verdict for every link in every SMS out
    Replay(Replay),
    /// Find the links in a text and say what they are worth
    Scan(Scan),
    /// Show every layer of one frame, or of the bytes of one layer
    Explain(Explain),
    /// Write synthetic SMS traffic, the same for the same seed to the byte
    Generate(Generate),
    /// Build a verdict table from lists, look into it, go back to the last
    Verdicts(Verdicts),
    /// Build the table of what recipients asked for
    Recipients(Recipients),
    /// What a running filter says of itself: counters, latencies, queues, alarms
    #[cfg(unix)]
    Status(Status),
    /// Read the records that a filter wrote
    Spool(Spool),
    /// Check and show the plan of the network
    Plan(Plan),
    /// Watch a mirror port or an optical tap; changes nothing
    #[cfg(all(feature = "live", target_os = "linux"))]
    Tap(Tap),
    /// Stand between two ports and change what subscribers receive
    #[cfg(all(feature = "live", target_os = "linux"))]
    Inline(Inline),
    /// Two network namespaces, a real sender and receiver and the filter between them
    #[cfg(all(feature = "live", target_os = "linux"))]
    Lab(Lab),
    /// Say whether this machine can do what the configuration asks; changes nothing
    #[cfg(all(feature = "live", target_os = "linux"))]
    Check(Check),
    /// Print the commented default configuration, or say what is wrong with one
    Config(Config),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  ztsms completions bash > /etc/bash_completion.d/ztsms")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write man pages of every command to a directory
    #[command(after_help = "Example:\n  ztsms man /usr/local/share/man/man1")]
    Man {
        /// Where to; made if it is not there
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

/// What verdicts come from, and what is done about them.
#[derive(Args, Debug, Default)]
pub(super) struct Judge {
    /// Verdict directory or snapshot file [default: the small built-in set]
    #[arg(long, value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    pub(super) verdicts: Option<PathBuf>,
    /// Policy [default: ztsms.toml if it is here, else built in]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) policy: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  ztsms replay capture.pcapng
  ztsms replay --json *.pcap.gz | jq -r '.urls[] | select(.verdict == \"dangerous\") | .url'
  tcpdump -w - sctp | ztsms replay -
  ztsms replay in.pcap --write out.pcapng --policy strict.toml")]
pub(super) struct Replay {
    /// Captures: pcap or pcapng, plain or in gzip or Zstandard; `-` is standard input
    ///
    /// Captures that follow each other, as a ring of files does, are read as one. One that begins before the last one ended, or an hour after, is another: it gets a new lane, which knows nothing of open dialogues and of parts of texts that came before.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) files: Vec<PathBuf>,
    /// One ztsms.sms.v1 object a line on standard output, the summary on standard error
    #[arg(long)]
    pub(super) json: bool,
    /// What would have gone on the wire: same frames, order and times, rewritten where policy acts
    #[arg(long, value_name = "OUT.pcapng", value_hint = ValueHint::FilePath)]
    pub(super) write: Option<PathBuf>,
    #[command(flatten)]
    pub(super) judge: Judge,
    /// Threads; the output is the same for every N [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) threads: Option<u16>,
    /// Frames that carried SIGTRAN and were not understood, each with a comment that says why
    #[arg(long, value_name = "OUT.pcapng", value_hint = ValueHint::FilePath)]
    pub(super) unscanned: Option<PathBuf>,
    /// Pseudonyms in place of numbers and IMSIs; no message text, no paths and queries of links
    #[arg(long)]
    pub(super) redact: bool,
    /// Key of the pseudonyms, so that two runs give the same [default: a new one each time]
    #[arg(long, value_name = "FILE", requires = "redact", value_hint = ValueHint::FilePath)]
    pub(super) redact_key: Option<PathBuf>,
    /// Hosts to list of each verdict in the summary
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) top: usize,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  ztsms scan 'Your parcel waits: hxxp://bit.ly/x'
  ztsms scan --json < texts.txt")]
pub(super) struct Scan {
    /// Texts [default: the lines of standard input]
    pub(super) text: Vec<String>,
    /// One ztsms.scan.v1 object a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) judge: Judge,
    /// Who the text says it is from: protected senders and sender-bound verdicts depend on it
    #[arg(long, value_name = "NAME")]
    pub(super) sender: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  ztsms explain capture.pcap:12
  ztsms explain --layer tpdu --direction mt 040B911346610089F60000208062917314080CC8F71D14969741F977FD07
  ztsms explain --layer tcap --json 6216480400000001…")]
pub(super) struct Explain {
    /// Bytes in hexadecimal (spaces and colons are skipped), or a frame of a capture as FILE:FRAME, frames counted from 1
    #[arg(value_name = "HEX|FILE:FRAME")]
    pub(super) what: String,
    /// What the bytes are [default: frame]
    #[arg(long, value_enum, default_value_t = LayerName::Frame, hide_default_value = true)]
    pub(super) layer: LayerName,
    /// Which way a TPDU goes: MT to the phone, MO from it
    #[arg(long, value_enum)]
    pub(super) direction: Option<DirectionName>,
    /// Whose point codes and SCCP addresses they are [default: that of ztsms.toml if it is here, else itu]
    #[arg(long, value_enum)]
    pub(super) variant: Option<Variant>,
    /// Link type of a frame given in hexadecimal, as captures number them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) link_type: u32,
    /// One JSON object instead of a tree
    #[arg(long)]
    pub(super) json: bool,
}

/// A layer that `explain` can begin at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LayerName {
    Frame,
    Sctp,
    M3ua,
    Sccp,
    Tcap,
    Map,
    Tpdu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DirectionName {
    Mt,
    Mo,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  ztsms generate traffic.pcapng --messages 100000 --seed 7
  ztsms generate traffic.pcapng --mix busy-hour.toml")]
pub(super) struct Generate {
    /// The capture to write; `-` is standard output
    #[arg(value_name = "OUT.pcapng", value_hint = ValueHint::FilePath)]
    pub(super) out: PathBuf,
    /// Short messages
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) messages: u64,
    /// Another seed, other traffic; the same seed, the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
    /// What the traffic is made of, in TOML [default: like a national link]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) mix: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Example:\n  ztsms verdicts build own.csv --dangerous phishing.txt -o /var/lib/ztsms/verdicts")]
pub(super) struct Verdicts {
    #[command(subcommand)]
    pub(super) command: VerdictsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum VerdictsCommand {
    /// Build a table from lists
    #[command(after_help = "Example:
  ztsms verdicts build own.csv --dangerous phishing.txt --platform shorteners.txt --safe banks.txt -o verdicts")]
    Build(Build),
    /// What the table says of a URL, and why
    #[command(after_help = "Example:\n  ztsms verdicts lookup --verdicts verdicts https://bit.ly/x")]
    Lookup {
        /// URLs
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
        /// Verdict directory or snapshot file [default: the small built-in set]
        #[arg(long, value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
        verdicts: Option<PathBuf>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// How many entries of what, and how full the table is
    #[command(after_help = "Example:\n  ztsms verdicts stats --verdicts verdicts")]
    Stats {
        #[command(flatten)]
        of: Table,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// What differs between two tables
    #[command(after_help = "Example:\n  ztsms verdicts diff verdicts.old verdicts")]
    Diff {
        /// Verdict directory or snapshot file
        #[arg(value_name = "OLD", value_hint = ValueHint::AnyPath)]
        old: PathBuf,
        /// Verdict directory or snapshot file
        #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath)]
        new: PathBuf,
        /// Differences to list
        #[arg(long, value_name = "N", default_value_t = 50)]
        top: usize,
    },
    /// Check every byte of a table against its sums
    #[command(after_help = "Example:\n  ztsms verdicts verify --verdicts verdicts")]
    Verify {
        #[command(flatten)]
        of: Table,
    },
    /// Decide about a pattern, at once: a following filter acts on it within 50 ms
    #[command(
        after_help = "Example:\n  ztsms verdicts set --verdicts /var/lib/ztsms/verdicts evil.example dangerous --note 'ticket 4711'"
    )]
    Set {
        /// `host`, `=host`, `host/path` or `@host`
        #[arg(value_name = "PATTERN")]
        pattern: String,
        /// What it is worth
        #[arg(value_name = "VERDICT", value_parser = ["safe", "unknown", "dangerous"])]
        verdict: String,
        /// Verdict directory
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        verdicts: PathBuf,
        /// Why, for whoever asks later
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Take a decision back: what the table says counts again
    #[command(after_help = "Example:\n  ztsms verdicts unset --verdicts /var/lib/ztsms/verdicts evil.example")]
    Unset {
        /// The pattern, as it was decided about
        #[arg(value_name = "PATTERN")]
        pattern: String,
        /// Verdict directory
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        verdicts: PathBuf,
    },
    /// Put the table before this one back in its place, in a verdict directory
    #[command(after_help = "Example:\n  ztsms verdicts rollback --verdicts verdicts")]
    Rollback {
        #[command(flatten)]
        of: Table,
    },
}

/// A table, named as everywhere or by itself.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(super) struct Table {
    /// Verdict directory or snapshot file
    #[arg(long, value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    verdicts: Option<PathBuf>,
    /// The same without `--verdicts`
    #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    dir: Option<PathBuf>,
}

impl Table {
    /// Which it is; `None`: it is not named.
    pub(super) fn path(&self) -> Option<&Path> {
        self.verdicts.as_deref().or(self.dir.as_deref())
    }
}

#[derive(Args, Debug)]
pub(super) struct Build {
    /// Our own decisions: pattern,verdict,category,senders,source,expires,note
    #[arg(value_name = "OWN.csv", value_hint = ValueHint::FilePath)]
    pub(super) own: Vec<PathBuf>,
    /// A list, in any format known, of what is dangerous
    #[arg(long, value_name = "LIST", value_hint = ValueHint::FilePath)]
    pub(super) dangerous: Vec<PathBuf>,
    /// A list of platforms: what is below them stands for itself
    #[arg(long, value_name = "LIST", value_hint = ValueHint::FilePath)]
    pub(super) platform: Vec<PathBuf>,
    /// A list of what is safe
    #[arg(long, value_name = "LIST", value_hint = ValueHint::FilePath)]
    pub(super) safe: Vec<PathBuf>,
    /// A ranked list (rank,domain): lends no verdict
    #[arg(long, value_name = "LIST", value_hint = ValueHint::FilePath)]
    pub(super) rank: Vec<PathBuf>,
    /// Take a list too that is empty, or of which more than half cannot be read
    #[arg(long)]
    pub(super) force: bool,
    /// Verdict directory to write
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) output: PathBuf,
    /// Public Suffix List to use in place of the one compiled in
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) suffixes: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  ztsms config > ztsms.toml\n  ztsms config check ztsms.toml")]
pub(super) struct Config {
    #[command(subcommand)]
    pub(super) command: Option<ConfigCommand>,
}

/// A CSV to a table.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  printf 'imsi:208011234567890,strict,fr\\nmsisdn:33600000001,off\\n' > list.csv
  ztsms recipients list.csv recipients

Then, in ztsms.toml:
  [recipients]
  table = \"recipients/recipients\"")]
pub(super) struct Recipients {
    /// Lines of imsi:DIGITS or msisdn:DIGITS, off|observe|warn|quiet|strict, and perhaps a language
    #[arg(value_name = "FILE.csv", value_hint = ValueHint::FilePath)]
    pub(super) list: PathBuf,
    /// Where the table and its key lie; made if it is not there
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) dir: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say what is wrong with a configuration
    #[command(after_help = "Example:\n  ztsms config check ztsms.toml")]
    Check {
        /// The file [default: ztsms.toml]
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

#[cfg(unix)]
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  ztsms status\n  ztsms status --json | jq .latency_ns\n  ztsms status --rollback")]
pub(super) struct Status {
    /// The whole status as one ztsms.status.v1 object
    #[arg(long)]
    pub(super) json: bool,
    /// The filter's socket [default: the configuration's]
    #[arg(long, value_name = "SOCKET", value_hint = ValueHint::FilePath)]
    pub(super) socket: Option<PathBuf>,
    /// Configuration [default: ztsms.toml if it is here, else built in]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,
    /// What the breaker returned to observe acts again
    #[arg(long, conflicts_with = "rollback")]
    pub(super) reset_breaker: bool,
    /// No rewriting from now on, at once, as `ztsms inline --pass`; its frames go on
    #[arg(long, conflicts_with_all = ["rollback", "reset_breaker", "reload", "unpass"])]
    pub(super) pass: bool,
    /// Rewrite again after `--pass`
    #[arg(long, conflicts_with_all = ["rollback", "reset_breaker", "reload"])]
    pub(super) unpass: bool,
    /// Read the configuration again, as SIGHUP does
    #[arg(long, conflicts_with_all = ["rollback", "reset_breaker"])]
    pub(super) reload: bool,
    /// Go back to the snapshot before the present one, and stay there until the directory has another
    #[arg(long)]
    pub(super) rollback: bool,
}

#[derive(Args, Debug)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Example:\n  ztsms spool cat --json /var/spool/ztsms")]
pub(super) struct Spool {
    #[command(subcommand)]
    pub(super) command: SpoolCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum SpoolCommand {
    /// Print records, oldest first
    #[command(
        after_help = "Examples:\n  ztsms spool cat --json /var/spool/ztsms | jq .verdict\n  ztsms spool cat --json --work-key console.key /var/spool/ztsms-work"
    )]
    Cat {
        /// Spool directories or segments
        #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
        /// One ztsms.sms.v1 object a line
        #[arg(long)]
        json: bool,
        /// Events too: routing information and outcomes
        #[arg(long)]
        all: bool,
        /// Read `work`, sealed for the console, with its secret key
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        work_key: Option<PathBuf>,
    },
    /// Make a key pair for `work`: the secret half to a file, the public half to standard output
    #[command(after_help = "Example:\n  ztsms spool keygen console.key > console.pub")]
    Keygen {
        /// The secret half; must not be there yet
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
}

#[derive(Args, Debug)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Examples:\n  ztsms plan check plan.toml\n  ztsms plan show")]
pub(super) struct Plan {
    #[command(subcommand)]
    pub(super) command: PlanCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PlanCommand {
    /// Say what is wrong with a plan, and what it does not say
    #[command(after_help = "Example:\n  ztsms plan check plan.toml")]
    Check {
        /// The plan
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show the plan that the configuration names
    #[command(after_help = "Example:\n  ztsms plan show --config /etc/ztsms/ztsms.toml")]
    Show {
        /// Configuration [default: ztsms.toml if it is here, else built in]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        config: Option<PathBuf>,
    },
}
