//! Examples of files.

use super::{Example, MOMENT};
use crate::{FileView, FolderView, MakeFolderRequest, MoveFileRequest};

impl Example for FileView {
    fn example() -> Self {
        Self {
            name: "main.py".to_owned(),
            path: "/srv/clare/main.py".to_owned(),
            kind: "file".to_owned(),
            bytes: 1_024,
            mode: "0644".to_owned(),
            modified: MOMENT.to_owned(),
            etag: "2a1f-6920e65e.1312d00-400".to_owned(),
            target: None,
            leads_to: None,
        }
    }
}

impl Example for FolderView {
    fn example() -> Self {
        Self {
            container: "main".to_owned(),
            path: "/srv/clare".to_owned(),
            entries: vec![FileView::example()],
            has_more: false,
        }
    }
}

impl Example for MakeFolderRequest {
    fn example() -> Self {
        Self { container: Some("main".to_owned()), path: "/srv/clare/data".to_owned(), parents: true }
    }
}

impl Example for MoveFileRequest {
    fn example() -> Self {
        Self {
            container: Some("main".to_owned()),
            path: "/srv/clare/main.py".to_owned(),
            to: "/srv/clare/old.py".to_owned(),
            replace: false,
        }
    }
}
