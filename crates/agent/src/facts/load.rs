//! How much the host has to do, read at most once a second however often it is asked.

use super::file;
use super::kernel::{Ticks, memory};
use crate::beats::{Load, LoadSource};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a reading counts.
const FRESH: Duration = Duration::from_secs(1);

/// Reads the load of this machine.
#[derive(Debug, Default)]
pub struct LoadMeter {
    last: Mutex<Option<(Instant, Ticks, Load)>>,
}

impl LoadMeter {
    /// A meter as the source of beats' loads.
    #[must_use]
    pub fn source() -> LoadSource {
        let meter = Self::default();
        Arc::new(move || meter.read(Instant::now()))
    }

    fn read(&self, now: Instant) -> Load {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, load)) = last.filter(|(at, _, _)| now.saturating_duration_since(*at) < FRESH) {
            return load;
        }
        let ticks = Ticks::parse(&file("/proc/stat"));
        let cpu_permille = last.map_or(0, |(_, before, _)| ticks.permille_since(before));
        let load = Load { cpu_permille, memory_available: memory(&file("/proc/meminfo"), "MemAvailable") };
        *last = Some((now, ticks, load));
        load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_once_a_second() {
        let meter = LoadMeter::default();
        let now = Instant::now();
        let first = meter.read(now);
        assert!(first.memory_available > 0 && first.cpu_permille == 0);
        assert_eq!(meter.read(now + FRESH / 2), first);
        assert_eq!(meter.last.lock().unwrap().unwrap().0, now);
        assert!(meter.read(now + FRESH).cpu_permille <= 1000);
        assert_eq!(meter.last.lock().unwrap().unwrap().0, now + FRESH);
    }
}
