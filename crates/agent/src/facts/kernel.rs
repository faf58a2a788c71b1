//! What the kernel tells in `/proc`. Pure: texts go in.

/// How many cores run, by `/proc/stat`.
pub(super) fn cpus(stat: &str) -> u32 {
    let core =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    u32::try_from(stat.lines().filter(core).count()).unwrap_or(u32::MAX)
}

/// A line of `/proc/meminfo`, in bytes; 0 if it is not there.
pub(super) fn memory(meminfo: &str, name: &str) -> u64 {
    let value = |line: &str| -> Option<u64> {
        let rest = line.strip_prefix(name)?.strip_prefix(':')?;
        rest.split_whitespace().next()?.parse().ok()
    };
    meminfo.lines().find_map(value).unwrap_or(0).saturating_mul(1024)
}

/// What all cores did since the machine was switched on, in the kernel's own units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    pub(super) busy: u64,
    pub(super) all: u64,
}

impl Ticks {
    /// By `/proc/stat`; nothing if it cannot be read.
    pub(super) fn parse(stat: &str) -> Self {
        let first = stat.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        // user, nice, system, idle, waiting, interrupts, soft interrupts, stolen; guests are in the first two already.
        let ticks: Vec<u64> = first.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
        let all = ticks.iter().fold(0u64, |sum, ticks| sum.saturating_add(*ticks));
        let idle = ticks.iter().skip(3).take(2).fold(0u64, |sum, ticks| sum.saturating_add(*ticks));
        Self { busy: all.saturating_sub(idle), all }
    }

    /// How busy the cores were since `before`, in thousandths.
    pub(super) fn permille_since(self, before: Self) -> u32 {
        let all = self.all.saturating_sub(before.all);
        let busy = self.busy.saturating_sub(before.busy).min(all);
        u32::try_from(busy.saturating_mul(1000).checked_div(all).unwrap_or(0)).unwrap_or(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str =
        "cpu  100 10 50 800 40 0 0 0 5 0\ncpu0 50 5 25 400 20 0 0 0 5 0\ncpu1 50 5 25 400 20 0 0\nintr 5\n";

    #[test]
    fn two_cores_mostly_idle() {
        assert_eq!(cpus(STAT), 2);
        assert_eq!(Ticks::parse(STAT), Ticks { busy: 160, all: 1000 });
        let later = Ticks { busy: 160 + 30, all: 1000 + 40 };
        assert_eq!(later.permille_since(Ticks::parse(STAT)), 750);
        assert_eq!(later.permille_since(later), 0);
        assert_eq!(Ticks::default().permille_since(later), 0);
    }

    #[test]
    fn memory_is_in_bytes() {
        let meminfo = "MemTotal:        2035904 kB\nMemAvailable:    1034 kB\n";
        assert_eq!(memory(meminfo, "MemTotal"), 2_035_904 * 1024);
        assert_eq!(memory(meminfo, "MemAvailable"), 1034 * 1024);
        assert_eq!(memory(meminfo, "Mem"), 0);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(stat in "(cpu[0-9 ]{0,40}\n|[ -~]{0,20}\n){0,5}", meminfo in "(MemTotal:? *[0-9a-z ]{0,30}\n){0,3}") {
            let ticks = Ticks::parse(&stat);
            prop_assert!(ticks.permille_since(Ticks::default()) <= 1000);
            let (_cpus, _memory) = (cpus(&stat), memory(&meminfo, "MemTotal"));
        }
    }
}
