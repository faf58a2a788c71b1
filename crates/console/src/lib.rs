//! The web console: the front end's built files, inside the program.
//!
//! It knows which file stands at which path, in which codings it is there, and how long it may be kept. It knows nothing
//! of HTTP servers, reads no disk, and never builds the front end: what lies in `web/dist` when this is compiled is what
//! is served, and where nothing lies there, a page that says how to build it.

mod coding;
mod media;

pub use coding::Coding;
use rust_embed::RustEmbed;
use std::borrow::Cow;

/// The page's name among the files; it is at the address `/`.
const PAGE: &str = "index.html";
/// Where the names of files contain a digest of what is in them.
const HASHED: &str = "assets/";

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

/// What is served in place of a front end that was not built.
#[derive(RustEmbed)]
#[folder = "unbuilt"]
struct Unbuilt;

/// A file as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The bytes, coded if there is a coding.
    pub bytes: Cow<'static, [u8]>,
    /// Names these very bytes, with its quotes, as in the header `ETag`.
    pub etag: String,
    /// As in the header `Content-Type`.
    pub media_type: &'static str,
    /// How the bytes are coded; not at all if nothing.
    pub coding: Option<Coding>,
    /// Whether what is at this path never changes, since the path names its content.
    pub is_for_ever: bool,
}

/// The file at an address of the console, in the shortest form that is there and that a client accepts; `accepted` is its
/// header `Accept-Encoding`, empty if it sent none. Nothing if there is no such file.
#[must_use]
pub fn file(path: &str, accepted: &str) -> Option<File> {
    let files = if is_built() { Files { find: Built::get } } else { Files { find: Unbuilt::get } };
    files.at(path, accepted)
}

/// Whether the front end was built before this program.
#[must_use]
pub fn is_built() -> bool {
    Built::get(PAGE).is_some()
}

/// Files by their names.
struct Files {
    find: fn(&str) -> Option<rust_embed::EmbeddedFile>,
}

impl Files {
    fn at(&self, path: &str, accepted: &str) -> Option<File> {
        let name = match path.strip_prefix('/')? {
            "" => PAGE,
            // The page has one address, or its relative links would have two meanings; a coded form has none.
            name if name == PAGE || name.starts_with('.') || Coding::of_name(name).is_some() => return None,
            name => name,
        };
        let plain = (self.find)(name)?;
        let coded = Coding::accepted(accepted).into_iter().find_map(|coding| {
            let found = (self.find)(&format!("{name}{}", coding.suffix()))?;
            Some((found, Some(coding)))
        });
        let (found, coding) = coded.unwrap_or((plain, None));
        Some(File {
            etag: etag(&found.metadata.sha256_hash()),
            bytes: found.data,
            media_type: media::of(name),
            coding,
            is_for_ever: name.starts_with(HASHED),
        })
    }
}

/// Half of a digest tells any two files apart.
fn etag(digest: &[u8; 32]) -> String {
    let hexadecimal: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hexadecimal}\"")
}

#[cfg(test)]
mod tests;
