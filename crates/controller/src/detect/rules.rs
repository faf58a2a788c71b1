//! How long is waited for what. All times are in milliseconds in which this controller was awake, before they are
//! stretched by lateness.

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Without a sign of life a host is suspect: four beats are missing.
    pub suspect: u64,
    /// Without a sign of life, and without an answer of its kernel to another host, it is gone. A pause of half a second
    /// is shorter.
    pub gone: u64,
    /// The same where no other host can be asked.
    pub alone: u64,
    /// The agent's tunnel has ended and the host's kernel answers: so long its supervisor has to start it again.
    pub agent_gone: u64,
    /// The agent hangs, or the way to it is cut, and the host's kernel answers.
    pub agent_silent: u64,
    /// An engine that does not answer its agent is suspect.
    pub engine_suspect: u64,
    /// It hangs.
    pub engine_hangs: u64,
    /// It cannot be asked: it does not run.
    pub engine_refuses: u64,
    /// Requests through the tunnel are not answered although agent and engine are well.
    pub no_answers: u64,
    /// How long an agent has to call at first: longer than its longest wait between two calls.
    pub call: u64,
    /// The most that lateness stretches times by.
    pub longest_stretch: u64,
    /// What they are stretched by while at least half of the hosts are late at once.
    pub many: u64,
    /// How often others are asked about a host.
    pub ask: u64,
    /// Whether this controller takes all time that passed for time in which it was awake.
    pub trusts_itself: bool,
}

impl Rules {
    pub(crate) const DEFAULT: Self = Self {
        suspect: 400,
        gone: 650,
        alone: 1_500,
        agent_gone: 850,
        agent_silent: 2_000,
        engine_suspect: 400,
        engine_hangs: 750,
        engine_refuses: 400,
        no_answers: 3_000,
        call: 10_000,
        longest_stretch: 1_000,
        many: 800,
        ask: 400,
        trusts_itself: false,
    };

    /// Broken on purpose: one missed beat is death, and this controller never asks how late it is itself.
    #[cfg(any(test, feature = "mutants"))]
    pub(crate) const HASTY: Self = Self {
        suspect: 150,
        gone: 150,
        alone: 150,
        agent_gone: 150,
        agent_silent: 150,
        longest_stretch: 0,
        many: 0,
        trusts_itself: true,
        ..Self::DEFAULT
    };
}

impl Default for Rules {
    fn default() -> Self {
        #[cfg(feature = "mutants")]
        if crate::mutants::is_hasty() {
            return Self::HASTY;
        }
        Self::DEFAULT
    }
}
