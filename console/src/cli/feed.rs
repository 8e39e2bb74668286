//! `feed …`, `import`: where verdicts come from.

use serde_json::Value;

use super::args::{FeedCommand, FeedSet};
use super::{Asks, print};
use crate::command::{Command, Source};
use crate::sources::{Lends, Settings};
use crate::{Error, Result, time};

pub(super) fn run(at: &Asks<'_>, command: &FeedCommand) -> Result<()> {
    let ask = |source| at.print(Command::Source(source), print::source);
    match command {
        FeedCommand::Set(args) => ask(Source::Set(settings(args)?)),
        FeedCommand::List => at.print(Command::Source(Source::List), print::sources),
        FeedCommand::History { name } => at.print(Command::Source(Source::History(name.clone())), print::history),
        FeedCommand::Back { name, to } => {
            at.print(Command::Source(Source::Version { name: name.clone(), to: *to }), print::version)
        }
        FeedCommand::Accept { name } => {
            let history = &at.ask(Command::Source(Source::History(name.clone())))?;
            let newest = history["versions"].get(0).filter(|version| !version["held"].is_null());
            let Some(id) = newest.and_then(|version| version["id"].as_i64()) else {
                return Error::refused(format!("the newest version of {name} is not held back"));
            };
            at.print(Command::Source(Source::Version { name: name.clone(), to: Some(id) }), print::version)
        }
        FeedCommand::Suspend { name, reason } => ask(Source::Suspend { name: name.clone(), why: Some(reason.clone()) }),
        FeedCommand::Resume { name } => ask(Source::Suspend { name: name.clone(), why: None }),
        FeedCommand::Remove { name } => at.print(Command::Source(Source::Remove(name.clone())), |_| format!("{name} removed\n")),
        FeedCommand::Conflicts => {
            let answer = at.ask(Command::Source(Source::Conflicts))?;
            at.say(&answer, print::conflicts)?;
            let all = at.ask(Command::Status)?.get("conflicts").and_then(Value::as_u64).unwrap_or_default();
            let more = all.saturating_sub(print::rows(&answer).count() as u64);
            if more > 0 {
                at.note(&format!("and {more} more, which are not kept: the lists that say so have them"));
            }
            Ok(())
        }
    }
}

pub(super) fn import(at: &Asks<'_>, name: &str, force: bool) -> Result<()> {
    let imported = &at.ask(Command::Source(Source::Import { name: name.to_owned(), force }))?;
    at.say(imported, print::imported)?;
    match imported["held"].as_str() {
        Some(why) => Error::refused(format!("held back: {why}. `ztsms-console feed accept {name}` lets it count")),
        None => Ok(()),
    }
}

fn settings(args: &FeedSet) -> Result<Settings> {
    let flags = [
        (args.dangerous, Lends::Dangerous),
        (args.safe, Lends::Safe),
        (args.unknown, Lends::Unknown),
        (args.platform, Lends::Platform),
        (args.own, Lends::Own),
        (args.rank, Lends::Rank),
    ];
    let lends = flags.into_iter().find(|(set, _)| *set).map_or(Lends::Unknown, |(_, lends)| lends);
    let seconds = |text: &Option<String>| {
        let read = |text: &String| time::duration(text).ok_or_else(|| Error::Refused(format!("{text:?}: 45s, 30m, 1h or 1d")));
        text.as_ref().map(read).transpose()
    };
    // A path is the command line's own; the console may run elsewhere.
    let place = if args.place.contains("://") {
        args.place.clone()
    } else {
        let path = std::path::absolute(&args.place).map_err(Error::file(args.place.as_ref(), "find"))?;
        path.to_string_lossy().into_owned()
    };
    Ok(Settings {
        name: args.name.clone(),
        place,
        lends,
        category: args.category.clone(),
        priority: args.priority,
        every: seconds(&args.every)?.unwrap_or(0),
        ttl: seconds(&args.ttl)?,
        least_share: args.least_share,
        most_growth: args.most_growth,
        most_octets: args.most_octets,
        licence: args.licence.clone(),
    })
}
