//! Labs: their records, files, drafts and versions.

use crate::FieldError;
use pierhead_model::{Lab, LabChange, LabDraftThen, LabId, LabVersion, LabVersionRef, Username, Visibility};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabView {
    /// Its name, unique in the pool.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// Who may write it beside its owner; empty for those who may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Whether the asker may write it.
    #[serde(default)]
    pub writable: bool,
    /// `private` or `shared`: who may see what is published.
    pub visibility: String,
    /// What it is called: as its draft says for its authors, as the newest version says for others.
    pub title: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What its authors write at; absent for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<LabDraftView>,
    /// What was published and is kept, the newest last.
    pub versions: Vec<LabVersionView>,
    /// When it was made (RFC 3339).
    pub created_at: String,
}

/// What the authors of a lab write at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabDraftView {
    /// Rises with each change.
    pub revision: u64,
    /// The digest of the list of its files: what `If-Match` takes where a whole draft is replaced.
    pub tree: String,
    /// When it was changed last (RFC 3339).
    pub at: String,
    /// By whom.
    pub by: String,
}

/// A version of a lab that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabVersionView {
    /// Its number, from 1.
    pub number: u32,
    /// The digest of the list of its files.
    pub tree: String,
    /// What it is called.
    pub title: String,
    /// How many steps it has.
    pub steps: u32,
    /// What its author said about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When it was published (RFC 3339).
    pub at: String,
    /// By whom.
    pub by: String,
}

/// Body of `POST /api/labs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LabRequest {
    /// Its name, unique in the pool.
    pub id: String,
    /// What it is called; its name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `private` (the default) or `shared`: who may see what is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
}

/// Body of `PUT /api/labs/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LabSettings {
    /// `private` or `shared`: who may see what is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// Who may write it beside its owner: names of accounts, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<Vec<String>>,
    /// Whose it is from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A file of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabFileView {
    /// Where it is in the lab's folder.
    pub path: String,
    /// The SHA-256 of its bytes: what `If-Match` takes, in quotes.
    pub digest: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether it may be run as a program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// Body of `POST /api/labs/{id}/files/move`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MoveLabFileRequest {
    /// The file or folder that is moved.
    pub path: String,
    /// Where it is then.
    pub to: String,
}

/// Body of `POST /api/labs/{id}/publish`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// What is new, for those who read the list of versions.
    #[serde(default)]
    pub note: String,
    /// The revision of the draft that is meant; refused if it is another by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// A draft as it was after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabHistoryView {
    /// Its revision.
    pub revision: u64,
    /// The digest of the list of its files.
    pub tree: String,
    /// When it was made (RFC 3339).
    pub at: String,
    /// By whom.
    pub by: String,
    /// `made`, `written`, `removed`, `moved`, `pushed`, `imported`, `restored`; or another word that a newer server knows.
    pub what: String,
    /// The file that was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The revision that it became again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<u64>,
}

/// How two states of a lab differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabDiffView {
    /// The files that differ, by their paths; 5000 at most.
    pub files: Vec<LabFileDiffView>,
    /// Whether there are more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_more: bool,
}

/// How a file of a lab differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabFileDiffView {
    /// The file.
    pub path: String,
    /// `added`, `changed` or `removed`.
    pub kind: String,
    /// Its size before, in bytes.
    pub bytes_before: u64,
    /// Its size after, in bytes.
    pub bytes: u64,
    /// The lines that differ, in the unified form; absent for what is no text or too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl LabView {
    /// A lab as it is shown to somebody who may see it.
    #[must_use]
    pub fn of(lab: &Lab, writable: bool) -> Self {
        let newest = lab.newest();
        let (title, summary) = match newest {
            Some(newest) if !writable => (&newest.title, &newest.summary),
            _ => (&lab.title, &lab.summary),
        };
        let draft = LabDraftView {
            revision: lab.draft.revision,
            tree: lab.draft.tree.to_string(),
            at: crate::format_timestamp(lab.draft.at),
            by: lab.draft.by.to_string(),
        };
        let authors = lab.authors.iter().filter(|_| writable).map(ToString::to_string);
        Self {
            id: lab.id.to_string(),
            owner: lab.owner.to_string(),
            authors: authors.collect(),
            writable,
            visibility: match lab.visibility {
                Visibility::Private => "private",
                Visibility::Shared => "shared",
            }
            .to_owned(),
            title: title.clone(),
            summary: summary.clone(),
            draft: writable.then_some(draft),
            versions: lab.versions.iter().map(LabVersionView::of).collect(),
            created_at: crate::format_timestamp(lab.created_at),
        }
    }
}

impl LabVersionView {
    fn of(version: &LabVersion) -> Self {
        Self {
            number: version.number,
            tree: version.tree.to_string(),
            title: version.title.clone(),
            steps: version.steps,
            note: version.note.clone(),
            at: crate::format_timestamp(version.at),
            by: version.by.to_string(),
        }
    }
}

impl LabHistoryView {
    /// A draft as it is shown to those who write the lab.
    #[must_use]
    pub fn of(draft: &LabDraftThen) -> Self {
        let (what, path, to, restored) = match &draft.what {
            LabChange::Made => ("made", None, None, None),
            LabChange::Written { path } => ("written", Some(path), None, None),
            LabChange::Removed { path } => ("removed", Some(path), None, None),
            LabChange::Moved { path, to } => ("moved", Some(path), Some(to), None),
            LabChange::Pushed => ("pushed", None, None, None),
            LabChange::Imported => ("imported", None, None, None),
            LabChange::Restored { revision } => ("restored", None, None, Some(*revision)),
            LabChange::Other => ("changed", None, None, None),
        };
        Self {
            revision: draft.revision,
            tree: draft.tree.to_string(),
            at: crate::format_timestamp(draft.at),
            by: draft.by.to_string(),
            what: what.to_owned(),
            path: path.cloned(),
            to: to.cloned(),
            restored,
        }
    }
}

impl LabRequest {
    /// The name and who may see it.
    ///
    /// # Errors
    /// Names the field that does not have the accepted form.
    pub fn to_model(&self) -> Result<(LabId, Visibility), FieldError> {
        let id = LabId::parse(self.id.as_str()).map_err(|invalid| FieldError::of("id", &invalid))?;
        Ok((id, visibility(self.visibility.as_deref())?.unwrap_or_default()))
    }
}

/// Who may see a lab, who may write it beside its owner, and whose it is.
type LabSettingsParsed = (Option<Visibility>, Option<BTreeSet<Username>>, Option<Username>);

impl LabSettings {
    /// Who may see and write it.
    ///
    /// # Errors
    /// Names the field that does not have the accepted form.
    pub fn to_model(&self) -> Result<LabSettingsParsed, FieldError> {
        let name = |field: &str, name: &String| {
            Username::parse(name.as_str()).map_err(|invalid| FieldError::of(field, &invalid))
        };
        let authors =
            self.authors.as_ref().map(|authors| authors.iter().map(|author| name("authors", author)).collect());
        let owner = self.owner.as_ref().map(|owner| name("owner", owner)).transpose()?;
        Ok((visibility(self.visibility.as_deref())?, authors.transpose()?, owner))
    }
}

fn visibility(text: Option<&str>) -> Result<Option<Visibility>, FieldError> {
    match text {
        None => Ok(None),
        Some("private") => Ok(Some(Visibility::Private)),
        Some("shared") => Ok(Some(Visibility::Shared)),
        Some(_) => Err(FieldError::new("visibility", "private or shared")),
    }
}

/// Which state of a lab a text means: `draft`, `newest`, or the number of a version.
///
/// # Errors
/// If it is none of them.
pub fn lab_version(field: &str, text: &str) -> Result<LabVersionRef, FieldError> {
    match text {
        "draft" => Ok(LabVersionRef::Draft),
        "newest" => Ok(LabVersionRef::Newest),
        text => {
            let number = text.parse().ok().filter(|number| *number > 0 && !text.starts_with(['+', '0']));
            let number = number.ok_or_else(|| FieldError::new(field, "draft, newest, or the number of a version"))?;
            Ok(LabVersionRef::Number(number))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{Digest, LabDraft, Timestamp};

    #[test]
    fn versions_are_named_in_one_way() {
        assert_eq!(lab_version("version", "draft").unwrap(), LabVersionRef::Draft);
        assert_eq!(lab_version("version", "newest").unwrap(), LabVersionRef::Newest);
        assert_eq!(lab_version("version", "12").unwrap(), LabVersionRef::Number(12));
        for bad in ["", "0", "+1", "01", "-1", "1.0", "Draft", "99999999999"] {
            assert_eq!(lab_version("from", bad).unwrap_err().field, "from", "{bad}");
        }
    }

    #[test]
    fn only_authors_see_the_draft() {
        let ann = Username::parse("ann").unwrap();
        let tree = Digest::parse("0".repeat(64)).unwrap();
        let version = LabVersion {
            number: 1,
            tree: tree.clone(),
            title: "Old title".to_owned(),
            summary: String::new(),
            steps: 2,
            note: String::new(),
            at: Timestamp(1),
            by: ann.clone(),
        };
        let lab = Lab {
            id: LabId::parse("shell").unwrap(),
            owner: ann.clone(),
            authors: BTreeSet::from([Username::parse("bob").unwrap()]),
            visibility: Visibility::Shared,
            title: "New title".to_owned(),
            summary: String::new(),
            draft: LabDraft { revision: 7, tree, at: Timestamp(2), by: ann },
            versions: vec![version],
            published: 1,
            created_at: Timestamp(1),
        };
        let (author, reader) = (LabView::of(&lab, true), LabView::of(&lab, false));
        assert_eq!((author.title.as_str(), author.authors.len()), ("New title", 1));
        assert_eq!(author.draft.map(|draft| draft.revision), Some(7));
        assert_eq!((reader.title.as_str(), reader.authors.len(), reader.draft), ("Old title", 0, None));
    }

    #[test]
    fn fields_of_requests_are_named() {
        let request = |id: &str, visibility: Option<&str>| {
            let request = LabRequest { id: id.to_owned(), title: None, visibility: visibility.map(str::to_owned) };
            request.to_model().map_err(|error| error.field)
        };
        assert_eq!(request("a", None).unwrap().1, Visibility::Private);
        assert_eq!((request("A", None), request("a", Some("all"))), (Err("id".into()), Err("visibility".into())));
        let settings = LabSettings { authors: Some(vec!["a/b".to_owned()]), ..LabSettings::default() };
        assert_eq!(settings.to_model().unwrap_err().field, "authors");
    }
}
