//! Examples of images and registries.

use super::{Example, MOMENT};
use crate::{ArchiveView, ImageView, RegistryChange, RegistryRequest, RegistryView, SpreadView};

impl Example for ImageView {
    fn example() -> Self {
        let tags = vec!["shop:1".to_owned()];
        Self {
            id: format!("sha256:{}", "0f".repeat(32)),
            tags: tags.clone(),
            size: 7_340_032,
            archive: Some(ArchiveView {
                tags,
                size: 7_342_080,
                uploaded_at: MOMENT.to_owned(),
                uploaded_by: "clare".to_owned(),
            }),
            engines: vec!["10005".to_owned()],
            silent: Vec::new(),
        }
    }
}

impl Example for SpreadView {
    fn example() -> Self {
        Self { engine: "10005".to_owned(), state: "loading".to_owned(), percent: 40, message: String::new() }
    }
}

impl Example for RegistryRequest {
    fn example() -> Self {
        let RegistryChange { username, password } = RegistryChange::example();
        Self { host: "registry.lan:5000".to_owned(), username, password }
    }
}

impl Example for RegistryChange {
    fn example() -> Self {
        Self { username: "pool".to_owned(), password: "correct horse battery".to_owned() }
    }
}

impl Example for RegistryView {
    fn example() -> Self {
        Self {
            host: "registry.lan:5000".to_owned(),
            username: "pool".to_owned(),
            changed_at: MOMENT.to_owned(),
            changed_by: "admin".to_owned(),
        }
    }
}
