//! Documents of labs: read, checked and rendered beside the runtime, and held by the digest of their files.

use super::{LabFile, LabFiles, Library, LibraryError, blocking};
use futures_util::{StreamExt, stream};
use pierhead_lab::{
    Check, FileError, Files, Folder, Format, ImageTable, Lab, LabPath, Limits, Place, Problem, Problems, Rendered,
    Renderer, Severity, StepLine, Values, check_lab, read_step, with_lab,
};
use pierhead_model::Digest;
use std::borrow::Cow;
use std::sync::Arc;

/// How many files are fetched at the same time from a place that is far away.
const FETCHED_AT_ONCE: usize = 16;

/// A page: of which files, the step, and the language.
pub(super) type PageKey = (Digest, usize, Option<String>);

/// One state of a lab, read.
#[derive(Debug)]
pub struct LabAt {
    /// What it says; nothing if its `lab.yaml` can't be read.
    pub lab: Option<Lab>,
    /// What is wrong with it, as far as that is seen without rendering its pages.
    pub problems: Vec<Problem>,
    /// Its files.
    pub files: LabFiles,
}

/// One state of a lab, with all its pages looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What its steps hold.
    pub steps: Vec<StepLine>,
    /// All that is wrong with it.
    pub problems: Vec<Problem>,
}

/// A page as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabPreview {
    /// The page, and what its head says of checks; nothing if the file is none.
    pub rendered: Option<(Rendered, Vec<Check>)>,
    /// The step that it is, from 0.
    pub step: Option<usize>,
    /// What is wrong with the file.
    pub problems: Vec<Problem>,
}

impl Checked {
    /// What makes the lab unfit.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }
}

impl LabAt {
    /// How much is held of it, in bytes.
    fn bytes(&self) -> u64 {
        let texts = self.files.list().iter().filter(|(_, bytes)| *bytes <= Limits::LAB.text_bytes);
        // Scripts may stand in it several times.
        texts.map(|(path, bytes)| path.as_str().len() as u64 + bytes.min(&(256 << 10)) + 200).sum()
    }
}

impl Library {
    /// One state of a lab, read.
    pub(crate) async fn lab(self: &Arc<Self>, digest: &Digest) -> Result<Arc<LabAt>, LibraryError> {
        let make = async || {
            let files = self.files(digest).await?;
            let _place = self.reader().await?;
            blocking(move || Ok(Arc::new(read(files)))).await
        };
        self.labs.get(digest, |lab: &Arc<LabAt>| lab.bytes(), make).await
    }

    /// The files of one state of a lab.
    pub(crate) async fn files(self: &Arc<Self>, digest: &Digest) -> Result<LabFiles, LibraryError> {
        let files = LabFiles::new(Arc::clone(self), digest.clone(), self.tree(digest).await?);
        if self.blobs.is_remote() {
            self.fetch(&files).await;
        }
        Ok(files)
    }

    /// Reads the texts of a lab ahead, several at a time. What fails is told when it is needed.
    async fn fetch(self: &Arc<Self>, files: &LabFiles) {
        let mut left = Limits::LAB.texts_bytes / 2;
        let texts = files.tree.files.values().filter(|file| file.bytes <= Limits::LAB.text_bytes);
        let texts = texts.take_while(|file| {
            left = left.saturating_sub(file.bytes);
            left > 0
        });
        let texts: Vec<LabFile> = texts.cloned().collect();
        let fetched = stream::iter(texts).map(|file| {
            let library = Arc::clone(self);
            async move { drop(library.content(&file).await) }
        });
        fetched.buffer_unordered(FETCHED_AT_ONCE).for_each(std::future::ready).await;
    }

    /// One state of a lab with all its pages looked at.
    pub(crate) async fn check(self: &Arc<Self>, digest: &Digest) -> Result<Arc<Checked>, LibraryError> {
        let make = async || {
            let at = self.lab(digest).await?;
            let _place = self.reader().await?;
            blocking(move || Ok(Arc::new(checked(&at)))).await
        };
        self.checked
            .get(digest, |checked: &Arc<Checked>| 300 * (checked.steps.len() + checked.problems.len()) as u64, make)
            .await
    }

    /// A page for nobody in particular; `None` if there is no such step, or nothing could be read.
    pub(crate) async fn page(
        self: &Arc<Self>,
        digest: &Digest,
        step: usize,
        language: Option<&str>,
    ) -> Result<Option<Arc<Rendered>>, LibraryError> {
        let at = self.lab(digest).await?;
        let there = at.lab.as_ref().and_then(|lab| lab.steps.get(step));
        let Some(there) = there else { return Ok(None) };
        let language = language.filter(|language| there.translations.contains_key(*language)).map(str::to_owned);
        let key = (digest.clone(), step, language.clone());
        let make = async || {
            let values = at.lab.as_ref().map(|lab| pierhead_lab::values(&lab.variables, "")).unwrap_or_default();
            self.rendered(Arc::clone(&at), step, language, values).await?.map(Arc::new).ok_or(LibraryError::Crashed)
        };
        self.pages.get(&key, |page: &Arc<Rendered>| 4 * page.page.html.len() as u64 + 2048, make).await.map(Some)
    }

    /// A page with the values of whoever reads it; `None` if there is no such step.
    pub(crate) async fn rendered(
        &self,
        at: Arc<LabAt>,
        step: usize,
        language: Option<String>,
        values: Values,
    ) -> Result<Option<Rendered>, LibraryError> {
        let _place = self.reader().await?;
        blocking(move || {
            let Some(lab) = &at.lab else { return Ok(None) };
            let Some(step) = lab.steps.get(step) else { return Ok(None) };
            let page = language.and_then(|language| step.translations.get(&language)).unwrap_or(&step.page);
            let folder = Folder::new(&at.files);
            Ok(Some(Renderer::new(&folder, lab, &values).page(page, &mut Problems::default())))
        })
        .await
    }

    /// A page as it would be if a file held this text. Nothing is kept of it.
    pub(crate) async fn preview(
        self: &Arc<Self>,
        digest: &Digest,
        path: LabPath,
        text: String,
    ) -> Result<LabPreview, LibraryError> {
        let at = self.lab(digest).await?;
        let _place = self.reader().await?;
        blocking(move || Ok(previewed(&at, &path, text))).await
    }
}

fn read(files: LabFiles) -> LabAt {
    let folder = Folder::new(&files);
    let place = Place { path: LabPath::root(), format: Format::Pierhead };
    let mut problems = Problems::default();
    let lab = with_lab(&folder, &place, &ImageTable::default(), &mut problems, |lab, _, _| lab.clone());
    let problems = problems.into_list();
    LabAt { lab, problems, files }
}

fn checked(at: &LabAt) -> Checked {
    let Some(lab) = &at.lab else { return Checked { steps: Vec::new(), problems: at.problems.clone() } };
    let folder = Folder::new(&at.files);
    let mut problems = Problems::default();
    let steps = check_lab(lab, &folder, &mut problems);
    let mut all = at.problems.clone();
    all.extend(problems.into_list());
    all.sort_by(|one, other| {
        (&one.file, one.line, one.severity, &one.message).cmp(&(
            &other.file,
            other.line,
            other.severity,
            &other.message,
        ))
    });
    all.dedup();
    all.truncate(Problems::MOST + 2);
    Checked { steps, problems: all }
}

/// The files of a lab, one of them with another text.
struct Changed<'a> {
    files: &'a LabFiles,
    path: &'a LabPath,
    text: &'a str,
    list: Vec<(LabPath, u64)>,
}

impl Files for Changed<'_> {
    fn list(&self) -> &[(LabPath, u64)] {
        &self.list
    }

    fn read(&self, path: &LabPath, most: u64) -> Result<Cow<'_, [u8]>, FileError> {
        if path != self.path {
            return self.files.read(path, most);
        }
        if self.text.len() as u64 > most {
            Err(FileError::TooBig { most })
        } else {
            Ok(Cow::Borrowed(self.text.as_bytes()))
        }
    }
}

fn previewed(at: &LabAt, path: &LabPath, text: String) -> LabPreview {
    let mut list: Vec<(LabPath, u64)> = at.files.list().iter().filter(|(listed, _)| listed != path).cloned().collect();
    list.push((path.clone(), text.len() as u64));
    list.sort();
    let changed = Changed { files: &at.files, path, text: &text, list };
    let folder = Folder::new(&changed);
    let mut problems = Problems::default();
    let is_page = |page: &pierhead_lab::Page| page.file == *path;
    let step = at.lab.as_ref().and_then(|lab| {
        lab.steps.iter().position(|step| is_page(&step.page) || step.translations.values().any(is_page))
    });
    let rendered = match (&at.lab, path.extension() == "md") {
        (Some(lab), true) => {
            let values = pierhead_lab::values(&lab.variables, "");
            let read = read_step(&folder, path, &mut problems);
            read.map(|step| (Renderer::new(&folder, lab, &values).page(&step.page, &mut problems), step.checks))
        }
        _ => {
            let place = Place { path: LabPath::root(), format: Format::Pierhead };
            with_lab(&folder, &place, &ImageTable::default(), &mut problems, |_, _, _| ());
            None
        }
    };
    let mut problems = problems.into_list();
    problems.retain(|problem| problem.file == path.as_str() || rendered.is_none());
    LabPreview { rendered, step, problems }
}
