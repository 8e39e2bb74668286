//! `decide`, `undo`, `decisions`: what changes is shown before it does.

use super::args::{Decide as DecideArgs, Undo};
use super::{Asks, print};
use crate::command::{Command, Decide};
use crate::{Error, Result, decide::Draft, time};

pub(super) fn decide(at: &Asks<'_>, args: &DecideArgs) -> Result<()> {
    let expires = args.expires.as_deref().map(|text| time::end(text, time::now())).transpose().map_err(Error::Refused)?;
    let draft = Draft {
        pattern: args.pattern.clone(),
        verdict: args.verdict.clone(),
        category: args.category.clone(),
        senders: args.senders.clone(),
        reason: args.reason.clone(),
        expires,
    };
    if !args.yes {
        let effect = at.ask(Command::Decide(Decide::Effect(draft.pattern.clone())))?;
        at.say(&effect, print::effect)?;
        at.agreed(false, "decide")?;
    }
    at.print(Command::Decide(Decide::Set(draft)), print::decision)
}

pub(super) fn undo(at: &Asks<'_>, args: &Undo) -> Result<()> {
    if !args.yes {
        let shown = at.ask(Command::Decide(Decide::Show(args.id)))?;
        at.say(&shown, print::undone)?;
        at.agreed(false, "take it back")?;
    }
    at.print(Command::Decide(Decide::Undo { id: args.id, reason: args.reason.clone() }), |answer| {
        print::decision(answer) + &print::stands(&answer["stands_again"])
    })
}

pub(super) fn list(at: &Asks<'_>, all: bool, most: usize) -> Result<()> {
    at.list(most, |most| Command::Decide(Decide::List { all, most }), print::decision)
}
