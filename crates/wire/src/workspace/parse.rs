//! From an environment as it travels to the model, field by field.

use super::{
    AsksDescription, EnvironmentChange, EnvironmentContainerDescription, EnvironmentDescription,
    EnvironmentFileDescription, EnvironmentRequest, ExtendRequest, WorkspaceRequest,
};
use crate::{Defaults, FieldError, ImageDescription};
use pierhead_model::{
    Asks, EnvironmentContainer, EnvironmentFile, EnvironmentId, EnvironmentSpec, MemberName, SaveId, Terminal,
    Visibility, check_container_user,
};
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, FieldError>;

/// The most containers of an environment: its network has so many addresses.
const MOST_CONTAINERS: usize = 10;
/// The most ports of a container.
const MOST_PORTS: usize = 32;
/// The most files of a container.
const MOST_FILES: usize = 64;
/// The most that all files and scripts of an environment hold, in bytes: it is one record.
const MOST_BYTES: usize = 256 * 1024;
/// The longest that a workspace may run, in minutes: a week.
const LONGEST_MINUTES: u32 = 7 * 24 * 60;
/// The most that are started ahead.
const MOST_WARM: u32 = 100;
/// The most processes that can be asked for.
const MOST_PROCESSES: u32 = 4096;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 4096;

impl EnvironmentDescription {
    /// The model of this description, everything that it leaves out filled in.
    ///
    /// # Errors
    /// Names the first field that does not have the accepted form.
    pub fn to_spec(&self, defaults: &Defaults) -> Result<EnvironmentSpec> {
        if !(1..=MOST_CONTAINERS).contains(&self.containers.len()) {
            return Err(FieldError::new("containers", "1 to 10 containers"));
        }
        let mut containers = Vec::new();
        let mut names = BTreeSet::new();
        for (at, container) in self.containers.iter().enumerate() {
            let parsed = container.to_model(defaults).map_err(|error| within(&format!("containers[{at}]"), &error))?;
            if !names.insert(parsed.name.clone()) {
                return Err(FieldError::new(
                    format!("containers[{at}].name"),
                    "another name than the containers before",
                ));
            }
            containers.push(parsed);
        }
        let texts = self.containers.iter().map(EnvironmentContainerDescription::bytes);
        if texts.sum::<usize>() > MOST_BYTES {
            return Err(FieldError::new("containers", "with files and scripts of at most 256 KiB together"));
        }
        let spec = EnvironmentSpec {
            containers,
            lifetime_minutes: self.lifetime_minutes.unwrap_or(240),
            idle_minutes: self.idle_minutes.unwrap_or(60),
            warm: self.warm.unwrap_or(0),
            asks: self.asks.unwrap_or_default().to_model()?,
        };
        if !(1..=LONGEST_MINUTES).contains(&spec.lifetime_minutes) {
            return Err(FieldError::new("lifetime_minutes", "a whole number from 1 to 10080 (a week)"));
        }
        if spec.idle_minutes > LONGEST_MINUTES {
            return Err(FieldError::new("idle_minutes", "a whole number up to 10080, or 0 for never"));
        }
        if spec.warm > MOST_WARM {
            return Err(FieldError::new("warm", "a whole number up to 100"));
        }
        Ok(spec)
    }
}

/// The same error, of a field that is within another one.
fn within(field: &str, error: &FieldError) -> FieldError {
    FieldError { field: format!("{field}.{}", error.field), message: format!("{field}.{}", error.message) }
}

impl AsksDescription {
    fn to_model(self) -> Result<Asks> {
        let Self { root, egress, privileged, pids } = self;
        match pids {
            Some(pids) if !(1..=MOST_PROCESSES).contains(&pids) => {
                Err(FieldError::new("asks.pids", "a whole number from 1 to 4096"))
            }
            pids => Ok(Asks { root, egress, privileged, pids }),
        }
    }
}

impl EnvironmentContainerDescription {
    /// How much its files and its script hold, in bytes.
    fn bytes(&self) -> usize {
        let files = self.files.iter().map(|file| file.path.len() + file.content.len());
        files.sum::<usize>() + self.startup.as_ref().map_or(0, String::len)
    }

    fn to_model(&self, defaults: &Defaults) -> Result<EnvironmentContainer> {
        let name = if self.name.is_empty() { "main" } else { &self.name };
        let like_an_app = ImageDescription {
            name: self.image.clone(),
            cpus: self.cpus,
            cpu_limit: self.cpu_limit,
            memory: self.memory,
            args: self.command.clone(),
            environment: self.environment.clone(),
            ..ImageDescription::default()
        };
        let spec = like_an_app.to_spec(defaults).map_err(|error| match error.field.as_str() {
            "name" => FieldError { field: "image".to_owned(), message: error.message.replacen("name", "image", 1) },
            field if field.starts_with("args") => FieldError {
                field: field.replacen("args", "command", 1),
                message: error.message.replacen("args", "command", 1),
            },
            _ => error,
        })?;
        if self.ports.len() > MOST_PORTS || self.ports.contains(&0) {
            return Err(FieldError::new("ports", "at most 32 ports from 1 to 65535"));
        }
        if self.files.len() > MOST_FILES {
            return Err(FieldError::new("files", "at most 64 files"));
        }
        if let Some(user) = &self.user {
            check_container_user(user).map_err(|invalid| FieldError::of("user", &invalid))?;
        }
        if self.startup.as_ref().is_some_and(|script| script.contains('\0')) {
            return Err(FieldError::new("startup", "a text without NUL characters"));
        }
        let files = self.files.iter().enumerate();
        let files = files.map(|(at, file)| file.to_model().map_err(|error| within(&format!("files[{at}]"), &error)));
        Ok(EnvironmentContainer {
            name: MemberName::parse(name).map_err(|invalid| FieldError::of("name", &invalid))?,
            image: spec.image,
            limits: spec.limits,
            command: spec.args,
            environment: spec.environment,
            working_dir: self.working_dir.as_deref().map(|path| whole_path("working_dir", path)).transpose()?,
            user: self.user.clone(),
            ports: self.ports.clone(),
            files: files.collect::<Result<_>>()?,
            startup: self.startup.clone().filter(|script| !script.trim().is_empty()),
        })
    }
}

/// A path from the root on, without any way back.
fn whole_path(field: &str, path: &str) -> Result<String> {
    let is_plain = path.starts_with('/') && path.len() <= LONGEST_PATH && !path.contains('\0');
    if is_plain && path.split('/').all(|part| part != "..") {
        Ok(path.to_owned())
    } else {
        Err(FieldError::new(field, "a path from the root on without '..', of at most 4096 bytes"))
    }
}

impl EnvironmentFileDescription {
    fn to_model(&self) -> Result<EnvironmentFile> {
        let path = whole_path("path", &self.path)?;
        if path.ends_with('/') {
            return Err(FieldError::new("path", "the path of a file"));
        }
        let mode = self.mode.as_deref().unwrap_or("644");
        let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777 && !mode_has_sign(self));
        let mode = mode.ok_or_else(|| FieldError::new("mode", "permissions in octal digits, such as 644"))?;
        Ok(EnvironmentFile { path, content: self.content.clone(), mode, blob: None })
    }
}

fn mode_has_sign(file: &EnvironmentFileDescription) -> bool {
    file.mode.as_deref().is_some_and(|mode| mode.starts_with('+'))
}

fn visibility(text: &str) -> Result<Visibility> {
    match text {
        "private" => Ok(Visibility::Private),
        "shared" => Ok(Visibility::Shared),
        _ => Err(FieldError::new("visibility", "private or shared")),
    }
}

/// An environment's name, who may open it, and what it is.
type Parsed = (EnvironmentId, Visibility, EnvironmentSpec);

impl EnvironmentRequest {
    /// The model of it.
    ///
    /// # Errors
    /// Names the first field that does not have the accepted form.
    pub fn to_model(&self, defaults: &Defaults) -> Result<Parsed> {
        let id = EnvironmentId::parse(self.name.as_str()).map_err(|invalid| FieldError::of("name", &invalid))?;
        let visibility = visibility(self.visibility.as_deref().unwrap_or("private"))?;
        let spec = self.description.to_spec(defaults).map_err(|error| within("description", &error))?;
        Ok((id, visibility, spec))
    }
}

impl EnvironmentChange {
    /// The model of it.
    ///
    /// # Errors
    /// As [`EnvironmentRequest::to_model`].
    pub fn to_model(&self, defaults: &Defaults) -> Result<(Option<Visibility>, Option<EnvironmentSpec>)> {
        let visibility = self.visibility.as_deref().map(visibility).transpose()?;
        let spec = self.description.as_ref().map(|description| description.to_spec(defaults)).transpose();
        Ok((visibility, spec.map_err(|error| within("description", &error))?))
    }
}

/// What a workspace is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceFrom {
    /// An environment.
    Environment(EnvironmentId),
    /// A save.
    Save(SaveId),
}

impl WorkspaceRequest {
    /// What it is made from; its name is checked too.
    ///
    /// # Errors
    /// Names the first field that does not have the accepted form.
    pub fn from(&self) -> Result<WorkspaceFrom> {
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        match (&self.environment, &self.save) {
            (Some(id), None) => EnvironmentId::parse(id.as_str())
                .map(WorkspaceFrom::Environment)
                .map_err(|invalid| FieldError::of("environment", &invalid)),
            (None, Some(id)) => save_id(id).map(WorkspaceFrom::Save),
            _ => Err(FieldError::new("environment", "given, or else save")),
        }
    }
}

/// The id of a save in a request.
///
/// # Errors
/// If it is none.
pub fn save_id(text: &str) -> Result<SaveId> {
    SaveId::parse(text).map_err(|invalid| FieldError::of("save", &invalid))
}

/// Checks what people call a workspace or a save: it is shown on one line.
///
/// # Errors
/// If it is empty, too long, or has control characters.
pub fn check_name(text: &str) -> Result<()> {
    Terminal::check_name(text).map_err(|invalid| FieldError::of("name", &invalid))
}

impl ExtendRequest {
    /// Checks it.
    ///
    /// # Errors
    /// If it is nothing or too much.
    pub fn check(self) -> Result<u32> {
        if (1..=LONGEST_MINUTES).contains(&self.minutes) {
            Ok(self.minutes)
        } else {
            Err(FieldError::new("minutes", "a whole number from 1 to 10080 (a week)"))
        }
    }
}
