//! Examples of labs.

use super::{Example, MOMENT};
use crate::{
    LabBlockView, LabCheckView, LabDiffView, LabDraftView, LabEnvironmentRequest, LabFileDiffView, LabFileView,
    LabHistoryView, LabImageView, LabImagesView, LabImportView, LabOutlineView, LabPageView, LabPreviewRequest,
    LabProblemView, LabReportView, LabRequest, LabSettings, LabStepLineView, LabStepView, LabTerminalView,
    LabVersionView, LabView, MoveLabFileRequest, PublishRequest,
};
use std::collections::BTreeMap;

const TREE: &str = "3f5a2bc0d1e2f3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c";

impl Example for LabView {
    fn example() -> Self {
        Self {
            id: "first-page".to_owned(),
            owner: "clare".to_owned(),
            authors: vec!["bob".to_owned()],
            writable: true,
            visibility: "shared".to_owned(),
            title: "A page of your own".to_owned(),
            summary: "Start a web server and look at it.".to_owned(),
            draft: Some(LabDraftView {
                revision: 17,
                tree: TREE.to_owned(),
                at: MOMENT.to_owned(),
                by: "clare".to_owned(),
            }),
            versions: vec![LabVersionView {
                number: 2,
                tree: TREE.to_owned(),
                title: "A page of your own".to_owned(),
                steps: 3,
                note: "the port is explained".to_owned(),
                at: MOMENT.to_owned(),
                by: "clare".to_owned(),
            }],
            created_at: MOMENT.to_owned(),
        }
    }
}

impl Example for LabRequest {
    fn example() -> Self {
        Self {
            id: "first-page".to_owned(),
            title: Some("A page of your own".to_owned()),
            visibility: Some("private".to_owned()),
        }
    }
}

impl Example for LabSettings {
    fn example() -> Self {
        let authors = Some(vec!["bob".to_owned()]);
        Self { visibility: Some("shared".to_owned()), authors, owner: None }
    }
}

impl Example for LabFileView {
    fn example() -> Self {
        Self { path: "steps/01-serve.md".to_owned(), digest: TREE.to_owned(), bytes: 812, executable: false }
    }
}

impl Example for MoveLabFileRequest {
    fn example() -> Self {
        Self { path: "steps/01-serve.md".to_owned(), to: "steps/02-serve.md".to_owned() }
    }
}

impl Example for PublishRequest {
    fn example() -> Self {
        Self { note: "the port is explained".to_owned(), revision: Some(17) }
    }
}

impl Example for LabHistoryView {
    fn example() -> Self {
        Self {
            revision: 17,
            tree: TREE.to_owned(),
            at: MOMENT.to_owned(),
            by: "clare".to_owned(),
            what: "written".to_owned(),
            path: Some("steps/01-serve.md".to_owned()),
            to: None,
            restored: None,
        }
    }
}

impl Example for LabDiffView {
    fn example() -> Self {
        let file = LabFileDiffView {
            path: "steps/01-serve.md".to_owned(),
            kind: "changed".to_owned(),
            bytes_before: 800,
            bytes: 812,
            text: Some("@@ -1 +1 @@\n-# Serve\n+# Serve it\n".to_owned()),
        };
        Self { files: vec![file], has_more: false }
    }
}

fn problem() -> LabProblemView {
    LabProblemView {
        file: "steps/01-serve.md".to_owned(),
        line: 12,
        message: "there is no file pages/page.png".to_owned(),
        severity: "error".to_owned(),
    }
}

impl Example for LabOutlineView {
    fn example() -> Self {
        Self {
            title: "A page of your own".to_owned(),
            summary: "Start a web server and look at it.".to_owned(),
            languages: vec!["en".to_owned(), "de".to_owned()],
            terminals: vec![LabTerminalView { name: "main".to_owned(), container: Some("main".to_owned()) }],
            steps: vec![LabStepView {
                title: "Serve it".to_owned(),
                file: Some("steps/01-serve.md".to_owned()),
                checks: 1,
                quizzes: 1,
            }],
            problems: vec![problem()],
        }
    }
}

impl Example for LabPageView {
    fn example() -> Self {
        let rest = [("code", "ls /srv".into()), ("language", "sh".into()), ("terminal", serde_json::Value::Null)];
        let rest: BTreeMap<String, serde_json::Value> = rest.map(|(name, value)| (name.to_owned(), value)).into();
        Self {
            title: "Serve it".to_owned(),
            html: "<p>Look: <span data-block=\"0\"></span></p>".to_owned(),
            blocks: vec![LabBlockView { kind: "run".to_owned(), rest }],
            checks: vec![LabCheckView {
                name: "check-1".to_owned(),
                title: "Your page is served".to_owned(),
                continuous: true,
            }],
            problems: vec![problem()],
            step: Some(0),
        }
    }
}

impl Example for LabPreviewRequest {
    fn example() -> Self {
        Self { path: "steps/01-serve.md".to_owned(), text: "# Serve it\n".to_owned() }
    }
}

impl Example for LabEnvironmentRequest {
    fn example() -> Self {
        Self { save: "k3f5a2bq7x-4".to_owned() }
    }
}

impl Example for LabImportView {
    fn example() -> Self {
        let report = LabReportView {
            format: Some("katacoda".to_owned()),
            title: "A page of your own".to_owned(),
            labs: Vec::new(),
            steps: vec![LabStepLineView {
                title: "Serve it".to_owned(),
                blocks: 4,
                checks: 1,
                ..LabStepLineView::default()
            }],
            problems: vec![problem()],
        };
        Self { lab: Some(LabView::example()), report }
    }
}

impl Example for LabImagesView {
    fn example() -> Self {
        let image = |image: &str| LabImageView { image: Some(image.to_owned()), ..LabImageView::default() };
        Self {
            images: BTreeMap::from([("ubuntu".to_owned(), image("ubuntu:24.04"))]),
            otherwise: LabImageView { environment: Some("shell".to_owned()), ..LabImageView::default() },
        }
    }
}
