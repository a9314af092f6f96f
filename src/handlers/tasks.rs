//! Several things at once. On the heap, because futures of one type cost their code once.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::future::{Either, select};

use crate::platform::{Millis, Platform, Unreachable};

/// Something under way.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What all of them come to, in their order. There are few: each looks again whenever one has news.
pub async fn all<T>(tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let mut slots: Vec<(Task<'_, T>, Option<T>)> = tasks.into_iter().map(|task| (task, None)).collect();
    poll_fn(|context| {
        let mut open = false;
        for (task, result) in slots.iter_mut().filter(|(_, result)| result.is_none()) {
            match task.as_mut().poll(context) {
                Poll::Ready(value) => *result = Some(value),
                Poll::Pending => open = true,
            }
        }
        if open { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    slots.into_iter().filter_map(|(_, result)| result).collect()
}

/// Storage that failed is tried again after these pauses.
const STORE_AGAIN: [Millis; 4] = [500, 1_000, 2_000, 4_000];

/// Stores something, with patience: an answer must not be thrown away because storage fails for a moment.
pub async fn store_at_last<P: Platform>(
    platform: &P,
    store: &dyn Fn() -> Result<(), Unreachable>,
) -> Result<(), Unreachable> {
    for pause in STORE_AGAIN {
        if store().is_ok() {
            return Ok(());
        }
        platform.sleep(pause).await;
    }
    store()
}

/// What `task` comes to, unless it takes longer than `span`.
pub async fn within<P: Platform, T>(platform: &P, span: Millis, task: Task<'_, T>) -> Option<T> {
    match select(task, pin!(platform.sleep(span))).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}
