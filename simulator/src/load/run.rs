//! The run itself: batches of requests, shared by all connections.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::ammunition::{Shot, is_right, make};
use super::{Plan, Summary};
use crate::clock::Clock;
use crate::http::{Answer, Connection, Failure, Target};
use crate::push::deliver::LIMIT;
use crate::push::envelope::NoKey;

/// Requests made ahead: about a kilobyte each. More connections need more, or most of them would sit idle.
const BATCH: u64 = 50_000;

/// What a request came to.
struct Hit {
    expected: String,
    openid: String,
    took: Duration,
    answer: Result<Answer, Failure>,
}

/// The requests of a batch that nobody has taken yet.
type Queue = Arc<Mutex<VecDeque<Shot>>>;

/// Carries a plan out. Making requests and checking answers is not timed; connections are opened before the first
/// request is.
///
/// # Errors
/// [`NoKey`] in compat and aes mode without an EncodingAESKey.
pub async fn run(plan: &Plan) -> Result<Summary, NoKey> {
    let mut connections = connect(plan).await;
    let mut tally = Tally::default();
    let mut next = 0;
    while next < plan.requests && tally.busy < plan.duration {
        let most = BATCH.max(plan.connections as u64 * 4);
        let count = most.min(plan.requests - next);
        let shots = make(plan, next, count, Clock::default().wall_ms())?;
        next += count;
        let begin = Instant::now();
        let end = begin + (plan.duration - tally.busy);
        let (returned, hits) = fire(plan, connections, shots, end).await;
        tally.busy += begin.elapsed();
        connections = returned;
        tally.count(plan, hits);
    }
    Ok(tally.summary())
}

/// Opens all connections; one that cannot be opened is tried again by its first request.
async fn connect(plan: &Plan) -> Vec<Option<Connection>> {
    let mut connections = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        connections.push(Connection::open(&plan.target).await.ok());
    }
    connections
}

async fn fire(
    plan: &Plan,
    connections: Vec<Option<Connection>>,
    shots: Vec<Shot>,
    end: Instant,
) -> (Vec<Option<Connection>>, Vec<Hit>) {
    let queue: Queue = Arc::new(Mutex::new(shots.into()));
    let mut gunners = JoinSet::new();
    for connection in connections {
        gunners.spawn(gunner(plan.target.clone(), connection, Arc::clone(&queue), plan.think, end));
    }
    let (mut connections, mut hits) = (Vec::with_capacity(plan.connections), Vec::new());
    while let Some(done) = gunners.join_next().await {
        if let Ok((connection, new)) = done {
            connections.push(connection);
            hits.extend(new);
        }
    }
    (connections, hits)
}

/// One connection: takes requests until there are none, or the time is over.
async fn gunner(
    target: Target,
    mut connection: Option<Connection>,
    queue: Queue,
    think: Duration,
    end: Instant,
) -> (Option<Connection>, Vec<Hit>) {
    let mut hits = Vec::new();
    while Instant::now() < end {
        let shot = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(Shot { request, expected, openid }) = shot else { break };
        let begin = Instant::now();
        let exchange = async {
            let open = match connection.take().filter(Connection::is_open) {
                Some(open) => open,
                None => Connection::open(&target).await?,
            };
            connection.insert(open).send(request).await
        };
        let answer = timeout(LIMIT, exchange).await.unwrap_or(Err(Failure::Timeout));
        if answer.is_err() {
            connection = None;
        }
        hits.push(Hit { expected, openid, took: begin.elapsed(), answer });
        if !think.is_zero() {
            tokio::time::sleep(think).await;
        }
    }
    (connection, hits)
}

#[derive(Default)]
struct Tally {
    busy: Duration,
    requests: u64,
    errors: u64,
    wrong: u64,
    latencies: Vec<Duration>,
}

impl Tally {
    fn count(&mut self, plan: &Plan, hits: Vec<Hit>) {
        for hit in hits {
            self.requests += 1;
            match hit.answer {
                Ok(answer) if answer.status == 200 => {
                    self.latencies.push(hit.took);
                    let right = is_right(plan, &hit.expected, &hit.openid, &answer.text());
                    self.wrong += u64::from(!right);
                }
                _ => self.errors += 1,
            }
        }
    }

    fn summary(mut self) -> Summary {
        self.latencies.sort_unstable();
        let seconds = self.busy.as_secs_f64();
        Summary {
            requests: self.requests,
            errors: self.errors,
            wrong: self.wrong,
            seconds: rounded(seconds),
            rps: if seconds > 0.0 { rounded(self.requests as f64 / seconds) } else { 0.0 },
            p50_ms: percentile(&self.latencies, 50),
            p90_ms: percentile(&self.latencies, 90),
            p99_ms: percentile(&self.latencies, 99),
            max_ms: percentile(&self.latencies, 100),
        }
    }
}

/// The smallest latency that `percent` of all do not exceed, in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).map_or(0.0, |latency| rounded(latency.as_secs_f64() * 1000.0))
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let found = [50, 90, 99, 100].map(|percent| percentile(&sorted, percent));
        assert_eq!(found, [100.0, 180.0, 198.0, 200.0]);
        assert_eq!(percentile(&sorted[..1], 50), 1.0);
        assert_eq!(percentile(&[], 99), 0.0);
    }
}
