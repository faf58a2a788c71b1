//! Labs of any format, as somebody sent them in, made labs of our own. Nothing of them is run.

use super::archive::{self, ArchiveKind, Unpacked, UnpackedFiles, Unpacking, unpacked};
use super::{LibraryError, Spooled};
use pierhead_lab::{
    Files, Folder, Format, ImageTable, LabLine, LabPath, Limits, Place, Problems, Report, Written, ZipFiles, check_lab,
    find, with_lab, write,
};
use std::collections::BTreeMap;

/// The most labs of an archive that are told.
const MOST_TOLD: usize = 1000;

/// What shall be imported.
pub(crate) struct Importing {
    /// What was sent in.
    pub(crate) archive: Spooled,
    /// Which of its labs, if there are several.
    pub(crate) path: Option<LabPath>,
    /// How images of other platforms are mapped.
    pub(crate) images: ImageTable,
}

/// What came of it.
pub(crate) struct Imported {
    /// What it holds and what is wrong; of several labs, which there are.
    pub(crate) report: Report,
    /// Its files in our own format; nothing if no lab was read, or it was not said which.
    pub(crate) files: Option<UnpackedFiles>,
    /// What its place in the archive is called.
    pub(crate) name: String,
    /// What it is about.
    pub(crate) summary: String,
}

/// Reads what was sent in and makes it a lab of our own. To be called where blocking does no harm.
pub(crate) fn imported(what: &Importing, mut unpacking: Unpacking) -> Result<Imported, LibraryError> {
    match archive::kind(what.archive.path())? {
        ArchiveKind::Zip => {
            if what.archive.bytes > ZipFiles::LARGEST {
                return Err(LibraryError::TooLarge { what: "a zip archive", most_bytes: ZipFiles::LARGEST });
            }
            let bytes = std::fs::read(what.archive.path()).map_err(LibraryError::spool)?;
            let files = ZipFiles::open(&bytes)?;
            read(&files, |_| false, what, &mut unpacking)
        }
        ArchiveKind::Tar => {
            let files = unpacked(&what.archive, &mut unpacking)?;
            // What is written anew counts by itself.
            let mut written = unpacking.again();
            read(&files, |path| files.is_executable(path), what, &mut written)
        }
    }
}

fn read(
    files: &dyn Files,
    is_executable: impl Fn(&LabPath) -> bool,
    what: &Importing,
    unpacking: &mut Unpacking,
) -> Result<Imported, LibraryError> {
    let folder = Folder::new(files);
    let mut problems = Problems::default();
    let places = find(&folder, &mut problems);
    let chosen = match &what.path {
        Some(path) => places.iter().find(|place| place.path == *path),
        None if places.len() == 1 => places.first(),
        None => None,
    };
    let Some(place) = chosen else { return Ok(nothing(&folder, &places, what, problems)) };
    let mut summary = String::new();
    let made = with_lab(&folder, place, &what.images, &mut problems, |lab, folder, problems| {
        let steps = check_lab(lab, folder, problems);
        summary.clone_from(&lab.summary);
        let executable = |path: &LabPath| match place.format {
            Format::Pierhead => place.path.resolve(path.as_str()).is_ok_and(|path| is_executable(&path)),
            _ => is_executable(path),
        };
        let files = match place.format {
            Format::Pierhead => copied(folder, executable, unpacking),
            _ => {
                let written = write(lab, folder, problems);
                take(folder, &written, executable, unpacking)
            }
        };
        (lab.title.clone(), steps, files)
    });
    let name = place.path.name().to_owned();
    let Some((title, steps, files)) = made else {
        let report = Report {
            format: Some(place.format),
            title: name.clone(),
            labs: Vec::new(),
            steps: Vec::new(),
            problems: problems.into_list(),
        };
        return Ok(Imported { report, files: None, name, summary });
    };
    let report = Report { format: Some(place.format), title, labs: Vec::new(), steps, problems: problems.into_list() };
    Ok(Imported { report, files: Some(files?), name, summary })
}

/// Which labs there are, for who must say which one is meant.
fn nothing(folder: &Folder<'_>, places: &[Place], what: &Importing, mut problems: Problems) -> Imported {
    let root = LabPath::root();
    match &what.path {
        Some(path) => problems.error(path, 1, "there is no lab at this path"),
        None if places.is_empty() => {
            let message = "there is no lab here: neither lab.yaml nor a lab of a format that can be imported";
            problems.error(&root, 1, message);
        }
        None => {}
    }
    let line = |place: &Place| {
        let read = with_lab(folder, place, &what.images, &mut Problems::default(), |lab, _, _| {
            (lab.title.clone(), lab.steps.len())
        });
        let (title, steps) = read.unwrap_or_default();
        LabLine { path: place.path.to_string(), format: place.format, title, steps }
    };
    let labs = places.iter().take(MOST_TOLD).map(line).collect();
    let format = places.first().map(|place| place.format);
    let report = Report { format, title: String::new(), labs, steps: Vec::new(), problems: problems.into_list() };
    Imported { report, files: None, name: String::new(), summary: String::new() }
}

/// All files of a folder as they are.
fn copied(
    folder: &Folder<'_>,
    is_executable: impl Fn(&LabPath) -> bool,
    unpacking: &mut Unpacking,
) -> Result<UnpackedFiles, LibraryError> {
    let all = folder.list().iter().map(|(path, _)| (path.clone(), Written::Copy(path.clone()))).collect();
    take(folder, &all, is_executable, unpacking)
}

fn take(
    folder: &Folder<'_>,
    written: &BTreeMap<LabPath, Written>,
    is_executable: impl Fn(&LabPath) -> bool,
    unpacking: &mut Unpacking,
) -> Result<UnpackedFiles, LibraryError> {
    let mut files: BTreeMap<LabPath, Unpacked> = BTreeMap::new();
    for (path, content) in written {
        let unpacked = match content {
            Written::Text(text) => unpacking.take(text.as_bytes(), text.len() as u64, false)?,
            Written::Copy(from) => {
                let bytes = folder.files().read(from, Limits::LAB.file_bytes);
                let bytes = bytes.map_err(|error| LibraryError::Malformed(format!("{from}: {error}")))?;
                unpacking.take(&*bytes, bytes.len() as u64, is_executable(from))?
            }
        };
        files.insert(path.clone(), unpacked);
    }
    UnpackedFiles::new(files)
}
