//! Alarms: raised once, shown until cleared. The name is for machines, the words are for people; `docs/operations.md` says what to do.

use serde::Serialize;

use crate::cli::complain;

/// One alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Its name.
    pub name: &'static str,
    /// What happened.
    pub what: String,
    /// Since when, Unix seconds.
    pub since: u64,
    /// How often it was raised.
    pub times: u64,
}

/// All that stand.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    standing: Vec<Alarm>,
    /// Alarms raised since the start.
    pub raised: u64,
}

impl Alarms {
    /// Raises an alarm; one that stands already takes the new words. Says on standard error what is new.
    pub fn raise(&mut self, name: &'static str, what: String, now: u64) {
        match self.standing.iter_mut().find(|alarm| alarm.name == name) {
            Some(alarm) if alarm.what == what => alarm.times += 1,
            Some(alarm) => {
                alarm.times += 1;
                alarm.what = what;
                say(alarm);
            }
            None => {
                self.raised += 1;
                let alarm = Alarm { name, what, since: now, times: 1 };
                say(&alarm);
                self.standing.push(alarm);
            }
        }
    }

    /// Clears an alarm.
    pub fn clear(&mut self, name: &str) {
        if self.standing.iter().any(|alarm| alarm.name == name) {
            self.standing.retain(|alarm| alarm.name != name);
            complain(&format_args!("cleared: {name}"));
        }
    }

    /// Raises it while `trouble` says something, else clears it.
    pub fn set(&mut self, name: &'static str, trouble: Option<String>, now: u64) {
        match trouble {
            Some(what) => self.raise(name, what, now),
            None => self.clear(name),
        }
    }

    /// Those that stand, oldest first.
    pub fn standing(&self) -> &[Alarm] {
        &self.standing
    }
}

fn say(alarm: &Alarm) {
    complain(&format_args!("alarm: {}: {}", alarm.name, alarm.what));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_stands_once_until_it_is_cleared() {
        let mut alarms = Alarms::default();
        alarms.set("spool", Some("disk full".into()), 5);
        alarms.set("spool", Some("disk full".into()), 6);
        assert_eq!((alarms.standing().len(), alarms.standing()[0].times, alarms.standing()[0].since), (1, 2, 5));
        alarms.set("spool", None, 7);
        alarms.clear("spool");
        assert!(alarms.standing().is_empty());
        assert_eq!(alarms.raised, 1);
    }
}
