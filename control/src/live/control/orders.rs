//! What people command.

use std::time::Duration;

use crossbeam::channel::{TrySendError, bounded};
use serde_json::{Value, json};

use super::super::admin::{Command, Order};
use super::super::stage;
use super::{Running, now};
use crate::cli::complain;
use crate::config::live::Live;

impl Running {
    pub(super) fn obey(&mut self, order: Order) {
        let answer = match order.command {
            Command::Status => Err("asked of the status, not commanded".to_owned()),
            Command::Pass | Command::Unpass => {
                let pass = order.command == Command::Pass;
                self.worlds.set_pass(pass);
                self.alarms.set("pass", pass.then(|| "rewriting is off by command".to_owned()), now());
                Ok(json!({ "pass": pass }))
            }
            Command::ResetBreaker => {
                self.reset_breaker();
                Ok(json!({ "breaker": "reset" }))
            }
            Command::Reload => self.reload(),
            Command::Rollback if !self.follows => Err("no verdict directory is followed".to_owned()),
            Command::Rollback => {
                // Reading takes a while: the following thread answers by itself.
                let (answer, result) = bounded(1);
                match self.back.try_send(answer) {
                    Ok(()) => {
                        let waiting = std::thread::spawn(move || {
                            let result = result.recv_timeout(Duration::from_secs(25));
                            let result = result.unwrap_or_else(|_| Err("no answer in time".to_owned()));
                            drop(order.answer.send(result.map(|id| json!({ "snapshot": format!("{id:016x}") }))));
                        });
                        drop(waiting);
                        return;
                    }
                    Err(TrySendError::Full(_)) => Err("another rollback is under way".to_owned()),
                    Err(TrySendError::Disconnected(_)) => Err("stopping".to_owned()),
                }
            }
        };
        // Who hung up is answered no more.
        drop(order.answer.send(answer));
    }

    fn reset_breaker(&mut self) {
        self.breaker.reset();
        self.worlds.set_stage(self.held());
        self.alarms.clear("breaker");
    }

    /// Policy, network, stage and breaker of the configuration as it is now, or all as it was. What the breaker holds stays held.
    pub(super) fn reload(&mut self) -> Result<Value, String> {
        let read = self.reload.as_mut().map_or_else(|| Err("there is no file to read again".to_owned()), |reload| reload());
        let read = read.and_then(|(config, network)| {
            // Another directory comes with a restart, and so does its key.
            let live = Live { state_dir: self.config.live.state_dir.clone(), ..config.live.clone() };
            let stage = stage::of(&live).map_err(|error| error.to_string())?;
            Ok((config, network, stage))
        });
        self.alarms.set("config", read.as_ref().err().cloned(), now());
        let (config, network, stage) = read?;
        let kept = &self.config;
        let same = [
            ("[live] verdicts, verdicts_key_file, limits, follow_ms, name, state_dir", {
                let of = |live: &crate::config::live::Live| {
                    let files = (live.verdicts.clone(), live.verdicts_key_file.clone(), live.state_dir.clone());
                    (files, live.limits.clone(), live.follow_ms, live.name.clone())
                };
                of(&config.live) == of(&kept.live)
            }),
            ("[spool]", config.spool == kept.spool),
            ("[work]", config.work == kept.work),
            ("[admin]", config.admin == kept.admin),
            ("[unscanned]", config.unscanned == kept.unscanned),
            ("[joins]", config.joins == kept.joins),
            ("[wire], all but its lists and `fail`", config.wire.but_what_can_change() == kept.wire.but_what_can_change()),
        ];
        let unchanged: Vec<&str> = same.into_iter().filter(|(_, same)| !same).map(|(section, _)| section).collect();
        self.breaker.set_limits(config.live.breaker.clone());
        self.plan.clone_from(&config.plan.loaded);
        self.stage = stage;
        self.config.policy.clone_from(&config.policy);
        let world = self.world(self.worlds.current().table.share(), network);
        let number = self.worlds.set(world, self.held());
        self.say_what_counts(&unchanged);
        if let Some(reloaded) = &self.reloaded {
            // Whoever holds the wire leaves when it likes.
            drop(reloaded.send(config));
        }
        Ok(json!({ "world": number, "needs_restart": unchanged }))
    }

    /// After a hangup nobody is there to be answered.
    fn say_what_counts(&self, unchanged: &[&str]) {
        let enforces = self.enforces();
        complain(&format_args!("the configuration was read again: {}", if enforces { "rewriting" } else { "observing only" }));
        if !unchanged.is_empty() {
            complain(&format_args!("as before until a restart: {}", unchanged.join("; ")));
        }
        // Without a manager there is nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Status(super::mode(enforces))]);
    }
}

#[cfg(test)]
mod tests {
    use dataplane::live::{Stage, Worlds};
    use dataplane::world::Network;

    use super::*;
    use crate::config::Config;

    #[test]
    fn one_rollback_too_many_is_answered_and_keeps_nobody_waiting() {
        let (back, under_way) = bounded(1);
        let (tell, told) = bounded(1);
        let obeying = move || {
            let config = Config::default();
            let world = crate::world::open(None, config.policy.clone(), Network::default()).expect("a world");
            let (_, news) = bounded(1);
            let worlds = Worlds::new(world, Stage::observe());
            let mut running = Running::new(config, worlds, Vec::new(), news, back, true).expect("it begins");
            let mut rollback = || {
                let (answer, answered) = bounded(1);
                running.obey(Order { command: Command::Rollback, answer });
                answered
            };
            let first = rollback();
            let second = rollback().try_recv();
            tell.send((first.try_recv().is_err(), second)).expect("somebody is told");
        };
        std::thread::spawn(obeying);
        let answers = told.recv_timeout(Duration::from_secs(10)).expect("it waits for nobody");
        assert_eq!(answers, (true, Ok(Err("another rollback is under way".to_owned()))));
        // Until here the following thread had not taken the first.
        drop(under_way);
    }
}
