//! The terminal that a person sits at: its raw mode, its size, and changes of that.

/// Clears a screen before what stands for all of it is written.
pub(super) const CLEAR: &[u8] = b"\x1b[0m\x1b[2J\x1b[H";
/// Takes back what a program may have set up: its own screen, mouse, paste and key modes, a hidden cursor, colours.
pub(super) const AS_BEFORE: &[u8] =
    b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m\r\n";

pub(super) use system::{Raw, Resizes, size};

#[cfg(unix)]
mod system {
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// Every key comes as it is typed, until this is dropped.
    pub(in crate::seat) struct Raw(Termios);

    impl Raw {
        pub(in crate::seat) fn set() -> Option<Self> {
            let before = tcgetattr(std::io::stdin()).ok()?;
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(std::io::stdin(), OptionalActions::Now, &raw).ok()?;
            Some(Self(before))
        }
    }

    impl Drop for Raw {
        fn drop(&mut self) {
            // A terminal that is gone needs nothing.
            let _gone = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
        }
    }

    /// Columns and rows.
    pub(in crate::seat) fn size() -> Option<(u16, u16)> {
        let size = tcgetwinsize(std::io::stdout()).or_else(|_| tcgetwinsize(std::io::stdin())).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }

    /// Tells of changes of the size.
    pub(in crate::seat) struct Resizes(Option<Signal>);

    impl Resizes {
        pub(in crate::seat) fn watch(wanted: bool) -> Self {
            Self(if wanted { signal(SignalKind::window_change()).ok() } else { None })
        }

        pub(in crate::seat) async fn next(&mut self) {
            let told = match &mut self.0 {
                Some(signal) => signal.recv().await,
                None => None,
            };
            if told.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    pub(in crate::seat) struct Raw;

    impl Raw {
        pub(in crate::seat) fn set() -> Option<Self> {
            None
        }
    }

    pub(in crate::seat) fn size() -> Option<(u16, u16)> {
        None
    }

    pub(in crate::seat) struct Resizes;

    impl Resizes {
        pub(in crate::seat) fn watch(_: bool) -> Self {
            Self
        }

        pub(in crate::seat) async fn next(&mut self) {
            std::future::pending().await
        }
    }
}
