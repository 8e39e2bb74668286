//! What was found out, for a while: bounded in entries and time, and never found out twice at once.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::protocol::Failure;

/// Answers by key.
#[derive(Debug)]
pub(crate) struct Memory<V> {
    slots: Mutex<Slots<V>>,
    most: usize,
}

type Slot<V> = Arc<OnceCell<(V, Instant)>>;

#[derive(Debug)]
struct Slots<V> {
    by_key: HashMap<String, Slot<V>>,
    /// Keys as they came; each key of `by_key` stands here once.
    order: VecDeque<String>,
}

/// An answer, for how long it holds, and whether it was there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered<V> {
    /// The answer.
    pub(crate) value: V,
    /// For how long it is remembered from now.
    pub(crate) left: Duration,
    /// It was there already, or somebody else found it out at this moment.
    pub(crate) already: bool,
}

impl<V: Clone> Memory<V> {
    /// Remembers so many answers; the oldest goes first.
    pub(crate) fn new(most: usize) -> Self {
        Self { slots: Mutex::new(Slots { by_key: HashMap::new(), order: VecDeque::new() }), most }
    }

    /// The answer of this key, found out by `find` if nobody has. An error is nobody's answer and is not remembered.
    pub(crate) async fn get<F>(&self, key: &str, find: impl FnOnce() -> F) -> Result<Remembered<V>, Failure>
    where
        F: Future<Output = Result<(V, Duration), Failure>>,
    {
        let slot = self.slot(key);
        let mut already = true;
        let (value, until) = slot
            .get_or_try_init(|| async {
                already = false;
                let (value, time) = find().await?;
                Ok((value, Instant::now() + time))
            })
            .await?;
        Ok(Remembered { value: value.clone(), left: until.saturating_duration_since(Instant::now()), already })
    }

    fn slot(&self, key: &str) -> Slot<V> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.by_key.get_mut(key) {
            if slot.get().is_some_and(|(_, until)| *until <= Instant::now()) {
                *slot = Slot::default();
            }
            return slot.clone();
        }
        if slots.order.len() >= self.most
            && let Some(oldest) = slots.order.pop_front()
        {
            slots.by_key.remove(&oldest);
        }
        slots.order.push_back(key.to_owned());
        slots.by_key.entry(key.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::protocol::Why;

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_are_answered_by_one() {
        let (memory, asked) = (Memory::new(10), AtomicU32::new(0));
        let find = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok((asked.fetch_add(1, Ordering::Relaxed), Duration::from_secs(60)))
        };
        let (a, b, c) = tokio::join!(memory.get("k", find), memory.get("k", find), memory.get("other", find));
        let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        assert_eq!(a.value, b.value);
        assert_ne!(a.value, c.value);
        assert!(!a.already && b.already);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(memory.get("k", find).await.unwrap().already);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!memory.get("k", find).await.unwrap().already, "what has ended is found out anew");
    }

    #[tokio::test]
    async fn an_error_is_not_remembered_and_the_oldest_goes_first() {
        let memory = Memory::new(2);
        let fails = || async { Err(Failure::new(Why::Budget, "x")) };
        assert!(memory.get("a", fails).await.is_err());
        let ok = || async { Ok((1, Duration::from_secs(60))) };
        for key in ["a", "b", "c"] {
            assert!(!memory.get(key, ok).await.unwrap().already, "{key}");
        }
        assert!(memory.get("b", ok).await.unwrap().already);
        assert!(!memory.get("a", ok).await.unwrap().already);
        assert_eq!(memory.slots.lock().unwrap().by_key.len(), 2);
    }
}
