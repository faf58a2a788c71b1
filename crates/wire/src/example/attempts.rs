//! Examples of attempts at labs.

use super::{Example, MOMENT};
use crate::{
    AnswerPart, AnswerRequest, AttemptCheckView, AttemptQuizView, AttemptRequest, AttemptStepView, AttemptTerminalView,
    AttemptView, CheckRequest, LabResultView, LabRunRequest, LabRunView, ResetRequest, StepRequest,
};

impl Example for AttemptRequest {
    fn example() -> Self {
        Self { language: Some("de".to_owned()), course: None }
    }
}

impl Example for StepRequest {
    fn example() -> Self {
        Self { step: 1 }
    }
}

impl Example for CheckRequest {
    fn example() -> Self {
        Self { name: Some("served".to_owned()) }
    }
}

impl Example for AnswerRequest {
    fn example() -> Self {
        Self { answer: vec![AnswerPart::Option(0), AnswerPart::Option(2)] }
    }
}

impl Example for ResetRequest {
    fn example() -> Self {
        Self { step: Some(1) }
    }
}

impl Example for AttemptView {
    fn example() -> Self {
        let check = AttemptCheckView {
            name: "served".to_owned(),
            title: "Your page is served".to_owned(),
            continuous: true,
            state: Some("failed".to_owned()),
            score: 0,
            most: 1,
            hint: Some("Nothing answers on port 8000 yet.".to_owned()),
            at: Some(MOMENT.to_owned()),
            tries: 2,
        };
        let quiz = AttemptQuizView {
            name: "port".to_owned(),
            answered: true,
            right: true,
            answer: vec![AnswerPart::Option(1)],
            score: 1,
            most: 1,
            tries: 1,
            explanation: Some("<p>It was told so on the command line.</p>".to_owned()),
        };
        let step = AttemptStepView {
            title: "Serve it".to_owned(),
            seen: true,
            done: false,
            preparing: false,
            setup_failed: Some("setup/page.sh ended with exit code 1".to_owned()),
            checks: vec![check],
            quizzes: vec![quiz],
            hints: 1,
            hints_opened: vec![0],
        };
        Self {
            id: "p3zq7ab2kf".to_owned(),
            lab: "http".to_owned(),
            title: "A page of your own".to_owned(),
            summary: "Start a web server and look at it.".to_owned(),
            version: 3,
            newest_version: Some(4),
            account: "clare".to_owned(),
            group: vec!["wu".to_owned()],
            course: Some("networks".to_owned()),
            language: "de".to_owned(),
            languages: vec!["en".to_owned(), "de".to_owned()],
            minutes: Some(20),
            workspace: Some("k3f5a2bq7x".to_owned()),
            phase: Some("ready".to_owned()),
            step: 0,
            steps: vec![step],
            score: 1,
            most: 2,
            terminals: vec![AttemptTerminalView { name: "main".to_owned(), container: Some("main".to_owned()) }],
            started_at: MOMENT.to_owned(),
            done_at: Some(MOMENT.to_owned()),
        }
    }
}

impl Example for LabRunRequest {
    fn example() -> Self {
        Self { workspace: "k3f5a2bq7x".to_owned(), step: Some(0), run: Some("checks".to_owned()) }
    }
}

impl Example for LabRunView {
    fn example() -> Self {
        let result = LabResultView {
            step: 0,
            run: "checks".to_owned(),
            name: "served".to_owned(),
            title: "Your page is served".to_owned(),
            state: "failed".to_owned(),
            exit: Some(1),
            hint: Some("Nothing answers on port 8000 yet.".to_owned()),
            said: "wget: can't connect to remote host (127.0.0.1): Connection refused\n".to_owned(),
            seconds: 0.21,
        };
        Self { results: vec![result] }
    }
}
