//! From readings of counters to figures, and their history: each second of five minutes while somebody looks, each
//! quarter of a minute of six hours. Pure: time is passed in.
//!
//! What was not read is not made up: a span without readings that is much longer than a step is a gap.

use super::packed::Figures;
use super::ring::Ring;
use pierhead_engine::Usage;

/// The steps of both histories, in milliseconds.
pub(super) const FINE_MS: u64 = 1_000;
pub(super) const COARSE_MS: u64 = 15_000;
/// How many steps are kept: five minutes and six hours.
const FINE_MOST: usize = 300;
const COARSE_MOST: usize = 1_440;
/// How many halves of a step may lie between two readings that make one span.
const MOST_HALVES: u64 = 5;
/// Figures of a shorter span mean little, in milliseconds.
const LEAST_SPAN_MS: u64 = 200;

/// How often something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Each second.
    Fine,
    /// Each quarter of a minute.
    Coarse,
}

impl Pace {
    const fn step_ms(self) -> u64 {
        match self {
            Self::Fine => FINE_MS,
            Self::Coarse => COARSE_MS,
        }
    }

    /// How long a reading tells of the present.
    const fn good_for_ms(self) -> u64 {
        self.step_ms() * MOST_HALVES / 2 + FINE_MS
    }
}

/// Both histories of one thing.
#[derive(Debug)]
pub(super) struct History {
    fine: Ring,
    coarse: Ring,
}

impl Default for History {
    fn default() -> Self {
        Self { fine: Ring::new(FINE_MS, FINE_MOST), coarse: Ring::new(COARSE_MS, COARSE_MOST) }
    }
}

impl History {
    fn ring(&mut self, pace: Pace) -> &mut Ring {
        match pace {
            Pace::Fine => &mut self.fine,
            Pace::Coarse => &mut self.coarse,
        }
    }

    /// Gives up what is too old.
    pub(super) fn forget_old(&mut self, now_ms: u64) {
        self.fine.forget_old(now_ms);
        self.coarse.forget_old(now_ms);
    }

    /// The points from a moment on: the step in milliseconds, and when each begins.
    pub(super) fn points(&self, now_ms: u64, since_ms: u64) -> [(u64, Vec<(u64, Figures)>); 2] {
        [(FINE_MS, &self.fine), (COARSE_MS, &self.coarse)].map(|(step, ring)| (step, ring.points(now_ms, since_ms)))
    }
}

/// A reading, and when it came, in milliseconds of our clock.
#[derive(Debug, Clone, Copy)]
struct Read {
    at_ms: u64,
    usage: Usage,
}

/// What a container uses now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Now {
    pub(super) figures: Figures,
    pub(super) memory_limit: u64,
    pub(super) pace: Pace,
}

/// A container as it was read.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) history: History,
    /// The last reading.
    last: Option<Read>,
    /// Where the spans of both histories begin that are not told yet.
    begun: [Option<Read>; 2],
    now: Option<(u64, Now)>,
}

impl Series {
    /// When it was read last, in milliseconds of our clock, and how much CPU time it had used since it was started, in
    /// nanoseconds.
    pub(super) fn counter(&self) -> Option<(u64, u64)> {
        self.last.map(|read| (read.at_ms, read.usage.cpu_nanos))
    }

    /// Takes a reading.
    pub(super) fn take(&mut self, at_ms: u64, usage: Usage, pace: Pace) {
        let read = Read { at_ms, usage };
        if let Some(last) = self.last
            && at_ms.saturating_sub(last.at_ms) <= Pace::Coarse.good_for_ms()
            && let Some(figures) = figures(&last.usage, &usage)
        {
            let now = Now { figures, memory_limit: usage.memory_limit, pace };
            self.now = Some((at_ms + pace.good_for_ms(), now));
        }
        self.last = Some(read);
        if pace == Pace::Fine {
            self.note(read, Pace::Fine);
        }
        self.note(read, Pace::Coarse);
    }

    /// Tells the figures of the span that this reading ends, if it ends one.
    fn note(&mut self, read: Read, pace: Pace) {
        let begun = &mut self.begun[usize::from(pace == Pace::Coarse)];
        let Some(from) = *begun else {
            *begun = Some(read);
            return;
        };
        let ring = self.history.ring(pace);
        let (first, last) = (ring.step(from.at_ms) + 1, ring.step(read.at_ms));
        if last < first {
            return;
        }
        *begun = Some(read);
        if read.at_ms.saturating_sub(from.at_ms) * 2 <= pace.step_ms() * MOST_HALVES
            && let Some(figures) = figures(&from.usage, &read.usage)
        {
            (first..=last).for_each(|step| ring.put(step, &figures));
        }
    }

    /// What it uses now, as far as that was read lately.
    pub(super) fn now(&self, now_ms: u64) -> Option<&Now> {
        self.now.as_ref().filter(|(until, _)| now_ms <= *until).map(|(_, now)| now)
    }
}

/// What was used between two readings; `None` if they are not of one life of the container, or too close.
fn figures(from: &Usage, to: &Usage) -> Option<Figures> {
    let nanos = to.at_nanos.checked_sub(from.at_nanos)?;
    if nanos < LEAST_SPAN_MS * 1_000_000 {
        return None;
    }
    let rate = |from: u64, to: u64| to.checked_sub(from).map(|grown| grown as f64 * 1e9 / nanos as f64);
    Some(Figures {
        cpu_cores: rate(from.cpu_nanos, to.cpu_nanos)? / 1e9,
        memory_bytes: to.memory_bytes as f64,
        rx_bytes_s: rate(from.rx_bytes, to.rx_bytes)?,
        tx_bytes_s: rate(from.tx_bytes, to.tx_bytes)?,
        read_bytes_s: rate(from.read_bytes, to.read_bytes)?,
        write_bytes_s: rate(from.write_bytes, to.write_bytes)?,
    })
}

/// A host as it is summed up once a second.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) history: History,
    /// The step of the coarse history that goes on, and what was seen in it.
    step: u64,
    sum: Figures,
    seen: u32,
}

impl Sums {
    /// Takes the figures of a second; `is_fine` if they are not of a longer span.
    pub(super) fn take(&mut self, at_ms: u64, figures: &Figures, is_fine: bool) {
        let step = self.history.coarse.step(at_ms);
        if step != self.step {
            (self.step, self.sum, self.seen) = (step, Figures::default(), 0);
        }
        self.sum = self.sum.plus(figures);
        self.seen += 1;
        self.history.coarse.put(step, &self.sum.times(1.0 / f64::from(self.seen)));
        if is_fine {
            let step = self.history.fine.step(at_ms);
            self.history.fine.put(step, figures);
        }
    }
}

#[cfg(test)]
mod tests;
