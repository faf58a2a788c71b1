//! Labs of other platforms, or of another pool, that somebody sends in.

use super::{Actor, RequestError, check_new};
use crate::Controller;
use crate::labs::{Importing, Spooled, Unpacking, blocking, imported};
use pierhead_lab::{LabPath, Report};
use pierhead_model::{Lab, LabChange, LabId, Visibility};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What came of an import.
#[derive(Debug, Clone)]
pub struct ImportedLab {
    /// The lab; nothing if there are several and it was not said which, or none could be read.
    pub lab: Option<Arc<Lab>>,
    /// What was found, and what is wrong with it.
    pub report: Report,
}

impl Controller {
    /// Makes a lab of an archive: all of it, or nothing. What could not be carried is told by the report. Its name is `id`,
    /// or made of its title.
    ///
    /// # Errors
    /// If the archive can't be read or holds too much, or there is a lab of that name.
    pub async fn import_lab(
        &self,
        actor: &Actor,
        id: Option<&LabId>,
        path: Option<LabPath>,
        archive: Spooled,
    ) -> Result<ImportedLab, RequestError> {
        if let Some(id) = id {
            check_new(&self.known(), actor, id)?;
        }
        let images = self.lab_images().await?;
        let unpacking = Unpacking::new(&self.library, self.ids.unique(), BTreeSet::new());
        let importing = Importing { archive, path, images };
        let found = blocking(move || imported(&importing, unpacking)).await?;
        let Some(files) = found.files else { return Ok(ImportedLab { lab: None, report: found.report }) };
        let id = id.cloned().unwrap_or_else(|| self.free_name(&found.report.title, &found.name));
        let tree = files.tree()?;
        files.keep(&self.library).await?;
        let digest = self.library.keep_tree(&tree, &self.ids.unique()).await?;
        let title = if found.report.title.is_empty() { id.to_string() } else { found.report.title.clone() };
        let summary: String = found.summary.chars().take(2000).collect();
        let made = (&digest, LabChange::Imported);
        self.put_new_lab(actor, &id, (&title, &summary), Visibility::Private, made, None).await?;
        Ok(ImportedLab { lab: Some(self.lab(actor, id.as_str())?), report: found.report })
    }

    /// A name that no lab has, made of words.
    fn free_name(&self, title: &str, path: &str) -> LabId {
        let known = self.known();
        let begun = [title, path, "lab"].iter().find_map(|words| slug(words)).unwrap_or_else(|| "lab".to_owned());
        let numbered = (2..).map(|number| format!("{}-{number}", &begun[..begun.len().min(34)].trim_end_matches('-')));
        let mut names = std::iter::once(begun.clone()).chain(numbered).filter_map(|name| LabId::parse(name).ok());
        let free = names.find(|id| !known.labs.contains_key(id));
        free.expect("there are more numbers than labs")
    }
}

/// Words as a name: letters and digits in lower case, with hyphens between; nothing if none are left.
fn slug(words: &str) -> Option<String> {
    let plain = words.to_ascii_lowercase();
    let parts = plain.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut name = parts.collect::<Vec<_>>().join("-");
    name.truncate(40);
    let name = name.trim_end_matches('-').to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_are_made_of_words() {
        assert_eq!(slug("Docker: Build & run!").as_deref(), Some("docker-build-run"));
        assert_eq!(slug("  Ü "), None);
        assert_eq!(slug(&"ab ".repeat(40)).unwrap().len(), 38 + 2);
        assert_eq!(slug(&format!("{} b", "a".repeat(39))).unwrap(), "a".repeat(39));
    }
}
