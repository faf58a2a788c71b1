//! One line that says how far a change is.

use crate::escape::escape;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pierhead_model::{Verdict, VerdictState};
use pierhead_wire::OperationView;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The line, which goes away when this is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{spinner} {wide_msg}").expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    pub(crate) fn show(&self, text: &str) {
        self.0.set_message(escape(text).into_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A sign of life that appears only after a second, and is gone when this is dropped.
pub(crate) struct Waiting {
    shown: Arc<Mutex<Shown>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shown {
    is_over: bool,
    progress: Option<Progress>,
}

/// Nobody wonders before.
const UNREMARKABLE: Duration = Duration::from_secs(1);

impl Waiting {
    pub(crate) fn begin(target: ProgressDrawTarget) -> Self {
        let shown: Arc<Mutex<Shown>> = Arc::default();
        let task = tokio::spawn({
            let shown = Arc::clone(&shown);
            async move {
                tokio::time::sleep(UNREMARKABLE).await;
                let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                if !shown.is_over {
                    let progress = Progress::new(target);
                    progress.show("waiting for the controller");
                    shown.progress = Some(progress);
                }
            }
        });
        Self { shown, task }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.task.abort();
        // The line must be gone before anything else is written.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.is_over = true;
        shown.progress = None;
    }
}

/// `3/5 running, slot 2 pulling httpd:latest`; `goal` is what the slots become.
pub(crate) fn describe(operation: &OperationView, goal: &str) -> String {
    let of = |state: VerdictState| operation.verdicts.iter().filter(move |verdict| verdict.state == state);
    if operation.verdicts.is_empty() {
        return operation.title.clone();
    }
    let mut text = format!("{}/{} {goal}", of(VerdictState::Done).count(), operation.verdicts.len());
    let failed = of(VerdictState::Failed).count();
    if failed > 0 {
        write!(text, ", {failed} failed").expect("a String takes all");
    }
    let talks = |verdict: &&Verdict| !verdict.message.is_empty();
    if let Some(verdict) = of(VerdictState::Pending).find(talks).or_else(|| of(VerdictState::Failed).find(talks)) {
        let of_app = verdict.app.as_ref().map(|app| format!(" of {app}")).unwrap_or_default();
        write!(text, ", slot {}{of_app} {}", verdict.slot, verdict.message).expect("a String takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::Slot;

    fn operation(verdicts: &[(VerdictState, &str)]) -> OperationView {
        let verdicts = verdicts.iter().enumerate().map(|(at, (state, message))| Verdict {
            slot: Slot(u32::try_from(at).unwrap()),
            app: None,
            state: *state,
            container: None,
            engine: None,
            message: (*message).to_owned(),
        });
        OperationView {
            id: "op1".to_owned(),
            title: "run 3 of httpd".to_owned(),
            state: "running".to_owned(),
            verdicts: verdicts.collect(),
            error: None,
            actor: "admin".to_owned(),
            app: "web".to_owned(),
            created_at: String::new(),
            deadline: String::new(),
            ended_at: None,
        }
    }

    #[test]
    fn it_says_how_many_and_what_the_first_waits_for() {
        use VerdictState::{Done, Failed, Pending};
        assert_eq!(describe(&operation(&[]), "running"), "run 3 of httpd");
        let pulling = operation(&[(Done, "ready"), (Pending, ""), (Pending, "pulling httpd:latest 40%")]);
        assert_eq!(describe(&pulling, "running"), "1/3 running, slot 2 pulling httpd:latest 40%");
        let failed = operation(&[(Done, ""), (Pending, ""), (Failed, "no such image")]);
        assert_eq!(describe(&failed, "stopped"), "1/3 stopped, 1 failed, slot 2 no such image");
    }
}
