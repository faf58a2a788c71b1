//! Ctrl-C: the program ends with 130 whatever it is doing, and the terminal is left as it was.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The exit code after Ctrl-C, as shells give it.
pub(crate) const INTERRUPTED: u8 = 130;

/// How long a command that knows better what to say at Ctrl-C has for it.
const GRACE: Duration = Duration::from_millis(200);

/// Ends the watch when dropped.
pub(crate) struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether a command looks after Ctrl-C by itself.
static IS_OWN: AtomicBool = AtomicBool::new(false);

/// A command looks after Ctrl-C by itself until this is dropped.
pub(crate) struct Own(());

/// From now on this command looks after Ctrl-C.
pub(crate) fn own() -> Own {
    IS_OWN.store(true, Ordering::SeqCst);
    Own(())
}

impl Drop for Own {
    fn drop(&mut self) {
        IS_OWN.store(false, Ordering::SeqCst);
    }
}

/// Watches for Ctrl-C on a thread of its own: the command may be reading from a terminal, and would not notice. On Unix
/// the program ends by Ctrl-C in no other way from the moment that this returns, elsewhere from the first turn of the watch.
pub(crate) fn watch() -> Watch {
    let terminal = terminal::remember();
    let mut pressed = pressed::Pressed::listen();
    Watch(tokio::spawn(async move {
        while pressed.again().await {
            if IS_OWN.load(Ordering::SeqCst) {
                continue;
            }
            tokio::time::sleep(GRACE).await;
            terminal::restore(&terminal);
            if io::stderr().is_terminal() {
                let _gone = writeln!(io::stderr());
            }
            std::process::exit(i32::from(INTERRUPTED));
        }
    }))
}

/// A password that is being typed is not shown; whoever comes after must see again what they type.
#[cfg(unix)]
mod terminal {
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    pub(super) fn remember() -> Option<Termios> {
        tcgetattr(std::io::stdin()).ok()
    }

    pub(super) fn restore(remembered: &Option<Termios>) {
        if let Some(termios) = remembered {
            let _gone = tcsetattr(std::io::stdin(), OptionalActions::Now, termios);
        }
    }
}

#[cfg(unix)]
mod pressed {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Pressed(Option<Signal>);

    impl Pressed {
        pub(super) fn listen() -> Self {
            Self(signal(SignalKind::interrupt()).ok())
        }

        /// Waits until it is pressed; `false` if that can't be known.
        pub(super) async fn again(&mut self) -> bool {
            match &mut self.0 {
                Some(signal) => signal.recv().await.is_some(),
                None => false,
            }
        }
    }
}

#[cfg(not(unix))]
mod pressed {
    pub(super) struct Pressed;

    impl Pressed {
        pub(super) fn listen() -> Self {
            Self
        }

        pub(super) async fn again(&mut self) -> bool {
            tokio::signal::ctrl_c().await.is_ok()
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    pub(super) fn remember() {}

    pub(super) fn restore(_: &()) {}
}
