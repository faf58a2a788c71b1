//! Examples of saves.

use super::{Example, MOMENT};
use crate::{FileChangeView, SaveChangesView, SaveEnvironmentRequest, SaveView, SavedContainerView};

const SAVE: &str = "k3f5a2bq7x-4";

impl Example for SaveView {
    fn example() -> Self {
        Self {
            id: SAVE.to_owned(),
            name: "before the exam".to_owned(),
            owner: "clare".to_owned(),
            workspace: "k3f5a2bq7x".to_owned(),
            environment: "python".to_owned(),
            version: 3,
            automatic: false,
            state: "complete".to_owned(),
            why: None,
            bytes: 5_242_880,
            containers: vec![SavedContainerView {
                name: "main".to_owned(),
                image: format!("pierhead/save:{SAVE}-main"),
                image_id: format!("sha256:{}", "6f".repeat(32)),
                base: "python:3.12".to_owned(),
                bytes: 5_242_880,
            }],
            copies: vec!["host-1".to_owned(), "host-3".to_owned()],
            registry: Some("registry.lan:5000/saves/k3f5a2bq7x/pierhead/save".to_owned()),
            moved_bytes: 5_270_528,
            created_at: MOMENT.to_owned(),
        }
    }
}

impl Example for SaveChangesView {
    fn example() -> Self {
        Self {
            container: "main".to_owned(),
            added: 1,
            changed: 0,
            removed: 0,
            files: vec![FileChangeView {
                path: "/srv/hello.py".to_owned(),
                kind: "added".to_owned(),
                is_folder: false,
                bytes_before: 0,
                bytes: 15,
            }],
        }
    }
}

impl Example for SaveEnvironmentRequest {
    fn example() -> Self {
        Self { name: "python-prepared".to_owned() }
    }
}
