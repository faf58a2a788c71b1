//! The verbs by name, and how long each may take: the one table of deadlines.

use std::fmt;
use std::time::Duration;

/// A call to an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// [`crate::Engine::ping`].
    Ping,
    /// [`crate::Engine::facts`].
    Facts,
    /// [`crate::Engine::containers`].
    Containers,
    /// [`crate::Engine::container`].
    Container,
    /// [`crate::Engine::image`].
    Image,
    /// [`crate::Engine::images`].
    Images,
    /// [`crate::Engine::layers`].
    Layers,
    /// [`crate::Engine::history`].
    History,
    /// [`crate::Engine::save`].
    Save,
    /// [`crate::Engine::pull`].
    Pull,
    /// [`crate::Engine::load`].
    Load,
    /// [`crate::Engine::written`].
    Written,
    /// [`crate::Engine::commit`].
    Commit,
    /// [`crate::Engine::remove_image`].
    RemoveImage,
    /// [`crate::Engine::tag`].
    Tag,
    /// [`crate::Engine::push`].
    Push,
    /// [`crate::Engine::without_volumes`].
    WithoutVolumes,
    /// [`crate::Engine::squash`].
    Squash,
    /// [`crate::Engine::changes`].
    Changes,
    /// [`crate::Engine::create`].
    Create,
    /// [`crate::Engine::create_network`].
    CreateNetwork,
    /// [`crate::Engine::networks`].
    Networks,
    /// [`crate::Engine::remove_network`].
    RemoveNetwork,
    /// [`crate::Engine::start`].
    Start,
    /// [`crate::Engine::stop`].
    Stop,
    /// [`crate::Engine::restart`].
    Restart,
    /// [`crate::Engine::pause`].
    Pause,
    /// [`crate::Engine::unpause`].
    Unpause,
    /// [`crate::Engine::remove`].
    Remove,
    /// [`crate::Engine::logs`].
    Logs,
    /// [`crate::Engine::usage`].
    Usage,
    /// [`crate::Engine::stats`].
    Stats,
    /// [`crate::Engine::events`].
    Events,
    /// [`crate::Engine::create_exec`].
    CreateExec,
    /// [`crate::Engine::start_exec`].
    StartExec,
    /// [`crate::Engine::resize_exec`].
    ResizeExec,
    /// [`crate::Engine::exec`].
    Exec,
}

impl Verb {
    /// The name of the method.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Facts => "facts",
            Self::Containers => "containers",
            Self::Container => "container",
            Self::Image => "image",
            Self::Images => "images",
            Self::Layers => "layers",
            Self::History => "history",
            Self::Save => "save",
            Self::Pull => "pull",
            Self::Load => "load",
            Self::Written => "written",
            Self::Commit => "commit",
            Self::RemoveImage => "remove_image",
            Self::Tag => "tag",
            Self::Push => "push",
            Self::WithoutVolumes => "without_volumes",
            Self::Squash => "squash",
            Self::Changes => "changes",
            Self::Create => "create",
            Self::CreateNetwork => "create_network",
            Self::Networks => "networks",
            Self::RemoveNetwork => "remove_network",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Remove => "remove",
            Self::Logs => "logs",
            Self::Usage => "usage",
            Self::Stats => "stats",
            Self::Events => "events",
            Self::CreateExec => "create_exec",
            Self::StartExec => "start_exec",
            Self::ResizeExec => "resize_exec",
            Self::Exec => "exec",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How long each call may take before it ends with [`crate::EngineError::TimedOut`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For `ping`.
    pub ping: Duration,
    /// For `facts`.
    pub facts: Duration,
    /// For `containers`, with the look at single containers that it takes.
    pub list: Duration,
    /// For `container`, and for each container that `containers` looks at.
    pub inspect: Duration,
    /// For `image`, `images`, `layers` and `history`.
    pub image: Duration,
    /// For a pull without any progress.
    pub pull_idle: Duration,
    /// For a push of which nothing is told.
    pub push_idle: Duration,
    /// For the begin of an archive: an engine packs all of an image before it sends any of it.
    pub save: Duration,
    /// For a load without any progress.
    pub load_idle: Duration,
    /// For `written`: all files are looked at.
    pub written: Duration,
    /// For `commit`: all that was written is read and packed.
    pub commit: Duration,
    /// For `squash` and `changes` by an agent: all bytes of an image are read.
    pub squash: Duration,
    /// For `create`.
    pub create: Duration,
    /// For everything about networks.
    pub network: Duration,
    /// For `start`, and for the second half of `restart`.
    pub start: Duration,
    /// For `stop`, on top of the grace period.
    pub stop: Duration,
    /// For `pause` and `unpause`.
    pub pause: Duration,
    /// For `remove`, `remove_image` and `tag`.
    pub remove: Duration,
    /// For the begin of `logs`, `stats` and `events`, and for a log that is not followed and stops coming.
    pub stream: Duration,
    /// For `usage`.
    pub usage: Duration,
    /// For everything about a process in a container, but for how long it goes on.
    pub exec: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(2),
            facts: Duration::from_secs(5),
            list: Duration::from_secs(20),
            inspect: Duration::from_secs(5),
            image: Duration::from_secs(5),
            pull_idle: Duration::from_secs(60),
            push_idle: Duration::from_secs(60),
            save: Duration::from_secs(600),
            load_idle: Duration::from_secs(120),
            written: Duration::from_secs(60),
            commit: Duration::from_secs(600),
            squash: Duration::from_secs(1800),
            create: Duration::from_secs(30),
            network: Duration::from_secs(30),
            start: Duration::from_secs(60),
            stop: Duration::from_secs(30),
            pause: Duration::from_secs(10),
            remove: Duration::from_secs(60),
            stream: Duration::from_secs(10),
            usage: Duration::from_secs(10),
            exec: Duration::from_secs(10),
        }
    }
}

impl Deadlines {
    /// The same deadline for every call.
    #[must_use]
    pub fn uniform(deadline: Duration) -> Self {
        Self {
            ping: deadline,
            facts: deadline,
            list: deadline,
            inspect: deadline,
            image: deadline,
            pull_idle: deadline,
            push_idle: deadline,
            save: deadline,
            load_idle: deadline,
            written: deadline,
            commit: deadline,
            squash: deadline,
            create: deadline,
            network: deadline,
            start: deadline,
            stop: deadline,
            pause: deadline,
            remove: deadline,
            stream: deadline,
            usage: deadline,
            exec: deadline,
        }
    }

    /// The deadline of a call; `grace_seconds` counts for [`Verb::Stop`] and [`Verb::Restart`].
    #[must_use]
    pub fn of(&self, verb: Verb, grace_seconds: u32) -> Duration {
        let grace = Duration::from_secs(u64::from(grace_seconds));
        match verb {
            Verb::Ping => self.ping,
            Verb::Facts => self.facts,
            Verb::Containers => self.list,
            Verb::Container => self.inspect,
            Verb::Image | Verb::Images | Verb::Layers | Verb::History => self.image,
            Verb::Save => self.save,
            Verb::Pull => self.pull_idle,
            Verb::Load => self.load_idle,
            Verb::Written => self.written,
            Verb::Commit => self.commit,
            Verb::RemoveImage | Verb::Tag => self.remove,
            Verb::Push => self.push_idle,
            Verb::WithoutVolumes => self.load_idle,
            Verb::Squash | Verb::Changes => self.squash,
            Verb::Create => self.create,
            Verb::CreateNetwork | Verb::Networks | Verb::RemoveNetwork => self.network,
            Verb::Start => self.start,
            Verb::Stop => self.stop + grace,
            Verb::Restart => self.stop + grace + self.start,
            Verb::Pause | Verb::Unpause => self.pause,
            Verb::Remove => self.remove,
            Verb::Logs | Verb::Stats | Verb::Events => self.stream,
            Verb::Usage => self.usage,
            Verb::CreateExec | Verb::StartExec | Verb::ResizeExec | Verb::Exec => self.exec,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_may_take_its_grace_period_and_more() {
        let deadlines = Deadlines::default();
        assert!(deadlines.of(Verb::Stop, 3600) > Duration::from_secs(3600));
        assert!(deadlines.of(Verb::Restart, 10) > deadlines.of(Verb::Stop, 10));
    }

    #[test]
    fn a_ping_is_the_shortest() {
        let deadlines = Deadlines::default();
        for verb in [Verb::Facts, Verb::Containers, Verb::Create, Verb::Start, Verb::Stop, Verb::Remove, Verb::Logs] {
            assert!(deadlines.of(Verb::Ping, 0) < deadlines.of(verb, 0), "{verb}");
        }
    }
}
