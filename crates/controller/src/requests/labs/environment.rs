//! The environment of a lab: described by the lab itself, anew whenever that says something else.

use super::{Actor, LabBefore, RequestError};
use crate::labs::LabAt;
use crate::requests::commit::Made;
use crate::requests::environments::{check_asks, images, may_open};
use crate::requests::saves::{ReadSave, touch};
use crate::requests::{Idempotency, OpenWorkspace, WorkspaceBeginning, WorkspaceNow};
use crate::{Controller, keys};
use pierhead_lab::{Files, LAB_FILE, Lab as Document, LabEnvironment, LabPath, Problems, Severity};
use pierhead_model::{
    Asks, Environment, EnvironmentBlob, EnvironmentContainer, EnvironmentFile, EnvironmentId, EnvironmentSpec,
    EnvironmentVersion, ImageReference, Lab, LabVersionRef, Limits, MemberName, Resources, SaveId, Visibility,
    check_container_user,
};
use pierhead_store::{Revision, Transaction};
use std::sync::Arc;

/// What a container of a lab gets that says nothing of it: memory in MB, thousandths of a core reserved and at most.
const MEMORY_MB: u64 = 256;
const PRIVILEGED_MEMORY_MB: u64 = 1024;
const CPU_MILLIS: u64 = 100;
const CPU_LIMIT_MILLIS: u64 = 1000;
/// The most containers of an environment: its network has so many addresses.
const MOST_CONTAINERS: usize = 10;
/// The most files that a lab puts into its containers, and their bytes.
const MOST_FILES: usize = 500;
const MOST_BYTES: u64 = 64 << 20;
/// The shortest time that a workspace of a lab runs until it is saved and stopped, in minutes; the longest is a week.
const SHORTEST_MINUTES: u32 = 60;
const LONGEST_MINUTES: u32 = 7 * 24 * 60;
/// The same for a lab that does not say how long it takes.
const MINUTES: u32 = 240;
/// After how many minutes without activity it is saved and stopped.
const IDLE_MINUTES: u32 = 60;

/// What becomes of the record of an environment.
pub(super) struct EnvironmentChange {
    /// The record as it shall be, and the revision that it replaces; nothing if it is so already.
    put: Option<(Environment, Option<Revision>)>,
    /// The saves that it begins from.
    saves: Vec<ReadSave>,
    /// What it is then.
    pub(super) now: Environment,
}

impl EnvironmentChange {
    pub(super) fn added_to(&self, transaction: Transaction) -> Result<Transaction, RequestError> {
        let Some((record, revision)) = &self.put else { return Ok(transaction) };
        let key = keys::environment(&record.id);
        let transaction = match revision {
            Some(revision) => transaction.unchanged(key.clone(), *revision),
            None => transaction.absent(key.clone()),
        };
        touch(transaction.put_json(key, record)?, &self.saves)
    }
}

impl Controller {
    /// Opens the workspace in which an author tries the draft, or finds the one that they have.
    ///
    /// # Errors
    /// If there is no such lab as far as they may know, it is for others to write, or nothing can be opened of it.
    pub async fn open_draft_workspace(
        &self,
        actor: &Actor,
        id: &str,
        asked: Option<&Idempotency>,
    ) -> Result<WorkspaceNow, RequestError> {
        let lab = self.lab_to_write(actor, id)?;
        let environment = self.described(actor, &lab, LabVersionRef::Draft).await?;
        let mine = self.workspaces_of(actor).into_iter().find(|now| {
            let is_mine = now.record.owner == actor.username && now.record.environment == environment.id;
            is_mine && now.record.wants_to_run()
        });
        if let Some(mine) = mine {
            return Ok(mine);
        }
        let request = OpenWorkspace {
            from: WorkspaceBeginning::Described(Box::new(environment)),
            name: Some(lab.title.chars().take(60).collect()),
        };
        self.open_workspace(actor, &request, asked).await
    }

    /// The environment of a state of a lab, described as that says now. Who may use it is the caller's business.
    ///
    /// # Errors
    /// [`RequestError::LabInvalid`] if the lab describes none that there can be.
    pub async fn described(
        &self,
        actor: &Actor,
        lab: &Lab,
        version: LabVersionRef,
    ) -> Result<Environment, RequestError> {
        if let LabVersionRef::Number(number) = version
            && let Some(older) = self.older_environment(lab, number).await?
        {
            return Ok(older);
        }
        let at = self.lab_at(&lab.id, version).await?;
        let id = match version {
            LabVersionRef::Draft => lab.id.draft_environment(),
            _ => lab.id.environment(),
        };
        // What is published was looked at when it was.
        let is_checked = version == LabVersionRef::Draft;
        loop {
            let change = self.environment_change(actor, lab, &at, (&id, is_checked)).await?;
            if change.put.is_none() {
                return Ok(change.now);
            }
            match self.store.commit(change.added_to(Transaction::new())?).await {
                Ok(revision) => {
                    self.reached(revision).await;
                    return Ok(change.now);
                }
                Err(pierhead_store::Error::Conflict { .. }) => self.catch_up().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The environment of an older version of a lab, which has no record of its own; `None` for the newest, which has.
    ///
    /// # Errors
    /// If there is no such version, or it describes none that there can be.
    pub(crate) async fn older_environment(&self, lab: &Lab, number: u32) -> Result<Option<Environment>, RequestError> {
        let version = LabVersionRef::Number(number);
        if lab.tree(version).is_some() && lab.tree(version) == lab.tree(LabVersionRef::Newest) {
            return Ok(None);
        }
        let at = self.lab_at(&lab.id, version).await?;
        let spec = self.lab_spec(lab, &at, None)?;
        let published_at = lab.version(number).map(|version| version.at).unwrap_or_default();
        Ok(Some(environment_of(lab, lab.id.environment(), spec, published_at, 0)))
    }

    /// What must become of the record of an environment for it to be what a lab says. If it `is_checked` it is asked whether
    /// they may describe it so.
    pub(super) async fn environment_change(
        &self,
        actor: &Actor,
        lab: &Lab,
        at: &LabAt,
        (id, is_checked): (&EnvironmentId, bool),
    ) -> Result<EnvironmentChange, RequestError> {
        let spec = self.lab_spec(lab, at, is_checked.then_some(actor))?;
        let saves = match is_checked {
            true => {
                check_asks(actor, &spec)?;
                self.check_images(actor, &images(&spec)).await?
            }
            false => Vec::new(),
        };
        let now = self.clock.now();
        let (known, revision) = {
            let known = self.known();
            let found = known.world.environments().get(id).cloned();
            (found, known.revision_of(&keys::environment(id)))
        };
        let known = match known {
            Some(found) if found.lab.as_ref() != Some(&lab.id) => {
                return Err(RequestError::Exists { what: "environment", id: id.to_string() });
            }
            known => known,
        };
        if let Some(found) = &known
            && found.spec == (EnvironmentSpec { warm: found.spec.warm, ..spec.clone() })
            && found.owner == lab.owner
        {
            return Ok(EnvironmentChange { put: None, saves, now: found.clone() });
        }
        let record = match known {
            Some(mut found) => {
                let warm = found.spec.warm;
                found.owner = lab.owner.clone();
                found.describe(EnvironmentSpec { warm, ..spec }, &actor.username, now);
                found
            }
            None => environment_of(lab, id.clone(), spec, now, 1),
        };
        Ok(EnvironmentChange { put: Some((record.clone(), revision)), saves, now: record })
    }

    /// How a state of a lab describes its environment. An environment that it names must be open to everybody or to its
    /// owner, and to `author` if there is one.
    ///
    /// # Errors
    /// [`RequestError::LabInvalid`] with what is wrong.
    pub(super) fn lab_spec(
        &self,
        lab: &Lab,
        at: &LabAt,
        author: Option<&Actor>,
    ) -> Result<EnvironmentSpec, RequestError> {
        let document = at.lab.as_ref().ok_or_else(|| RequestError::LabInvalid(at.problems.clone()))?;
        let named = match &document.environment {
            LabEnvironment::Named(name) => {
                let known = self.known();
                let found = known.world.environments().get(name.as_str());
                let may_use = |found: &&Environment| {
                    let of_lab = found.lab.as_ref() == Some(&lab.id);
                    let of_owner = found.visibility == Visibility::Shared || found.owner == lab.owner;
                    of_lab || (of_owner && author.is_none_or(|author| may_open(author, found)))
                };
                found.filter(may_use).map(|found| found.spec.clone())
            }
            LabEnvironment::Containers(_) => None,
        };
        let mut problems = Problems::default();
        let spec =
            environment_spec(document, at.files.list(), |path| at.files.file(path), named.as_ref(), &mut problems);
        let problems: Vec<_> =
            problems.into_list().into_iter().filter(|problem| problem.severity == Severity::Error).collect();
        if problems.is_empty() { Ok(spec) } else { Err(RequestError::LabInvalid(problems)) }
    }
}

impl Controller {
    /// Makes what was saved of a workspace the environment that a lab names, and writes that into the draft's `lab.yaml` in
    /// place of its containers. Files that the lab puts into its containers are put there as before.
    ///
    /// # Errors
    /// If there is no such lab or save as far as they may know, it is for others to write, or `lab.yaml` can't be read.
    pub async fn prepare_lab(&self, actor: &Actor, id: &str, save: &SaveId) -> Result<Arc<Lab>, RequestError> {
        let lab = self.lab_to_write(actor, id)?;
        let (saved, _) = self.save_for(actor, save).await?;
        let mut spec = self.spec_of(actor, &saved).await?;
        for container in &mut spec.containers {
            if let Some(files) = saved.files(&container.name) {
                container.image = files.image.clone();
            }
            container.files.clear();
        }
        spec.warm = 0;
        check_asks(actor, &spec)?;
        let prepared = lab.id.prepared_environment();
        let begins_as = images(&spec);
        let read = || self.check_images(actor, &begins_as);
        let committed = self.commit_reading(None, read, |known, now, saves| {
            let found = known.world.environments().get(&prepared);
            let key = keys::environment(&prepared);
            let revision = known.revision_of(&key);
            let record = match found {
                Some(found) if found.lab.as_ref() != Some(&lab.id) => {
                    return Err(RequestError::Exists { what: "environment", id: prepared.to_string() });
                }
                Some(found) => {
                    let mut found = Environment { owner: lab.owner.clone(), ..found.clone() };
                    found.describe(spec.clone(), &actor.username, now);
                    found
                }
                None => environment_of(&lab, prepared.clone(), spec.clone(), now, 1),
            };
            let change = EnvironmentChange { put: Some((record.clone(), revision)), saves: saves.clone(), now: record };
            let transaction = change.added_to(Transaction::new())?;
            let more = format!(", save={save}");
            Ok(Made::change(self.with_lab_event(transaction, "prepare-lab", &more, actor, &lab)?, ()))
        });
        committed.await.map(drop)?;
        self.name_environment(actor, id, &prepared).await
    }

    /// Writes into the draft which environment the lab runs in.
    async fn name_environment(
        &self,
        actor: &Actor,
        id: &str,
        environment: &EnvironmentId,
    ) -> Result<Arc<Lab>, RequestError> {
        let path = LabPath::parse(LAB_FILE).unwrap_or_default();
        loop {
            let target = self.lab_target(actor, id, LabVersionRef::Draft).await?;
            let file = target.tree.files.get(&path).ok_or(RequestError::NotFound {
                what: "file",
                id: path.to_string(),
                replaced_by: None,
            })?;
            let bytes = self.library.content(file).await?;
            let not_text = || RequestError::LabState { id: id.to_owned(), why: "has a lab.yaml that is no text" };
            let text = std::str::from_utf8(&bytes).map_err(|_| not_text())?;
            let written = with_environment(text, environment).into_bytes();
            let mut upload = self.begin_lab_file(None).await?;
            upload.write(&written).await?;
            let before = LabBefore::Content(file.digest.clone());
            let content = upload.finish().await?;
            match self.write_lab_file(actor, id, &path, &before, None, &content).await {
                Err(RequestError::ChangedMeanwhile { .. }) => {}
                done => return done.and_then(|_| self.lab_to_write(actor, id)),
            }
        }
    }
}

/// A `lab.yaml` that names an environment in place of containers; all else stays as it is written.
fn with_environment(text: &str, environment: &EnvironmentId) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut at = None;
    let mut is_within = false;
    for line in text.lines() {
        let is_of_first_level = line.chars().next().is_some_and(|c| !c.is_whitespace() && c != '#' && c != '-');
        if is_of_first_level {
            is_within = ["containers:", "environment:"].iter().any(|key| line.starts_with(key));
        }
        if is_within && !line.starts_with('#') {
            at.get_or_insert(lines.len());
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.insert(at.unwrap_or(lines.len()), format!("environment: {environment}"));
    lines.join("\n") + "\n"
}

fn environment_of(
    lab: &Lab,
    id: EnvironmentId,
    spec: EnvironmentSpec,
    now: pierhead_model::Timestamp,
    version: u32,
) -> Environment {
    let versions = vec![EnvironmentVersion { version, by: lab.owner.clone(), at: now }];
    let (owner, visibility) = (lab.owner.clone(), Visibility::Private);
    Environment { id, owner, visibility, version, spec, versions, created_at: now, lab: Some(lab.id.clone()) }
}

/// How a document describes its environment: its containers, or those of the environment that it names, with the files that
/// it puts into them. What there can't be is a problem.
pub(crate) fn environment_spec<'a>(
    lab: &Document,
    list: &[(LabPath, u64)],
    file: impl Fn(&LabPath) -> Option<&'a crate::labs::LabFile>,
    named: Option<&EnvironmentSpec>,
    problems: &mut Problems,
) -> EnvironmentSpec {
    let head = LabPath::parse(LAB_FILE).unwrap_or_default();
    let minutes = lab.minutes.map_or(MINUTES, |minutes| (2 * minutes).clamp(SHORTEST_MINUTES, LONGEST_MINUTES));
    let mut spec = match (&lab.environment, named) {
        (LabEnvironment::Named(_), Some(named)) => EnvironmentSpec { lifetime_minutes: minutes, ..named.clone() },
        (LabEnvironment::Named(name), None) => {
            problems.error(&head, 1, format!("there is no environment {name} that this lab may use"));
            empty(minutes)
        }
        (LabEnvironment::Containers(listed), _) => {
            let mut spec = empty(minutes);
            if listed.len() > MOST_CONTAINERS {
                let message =
                    format!("there are {} containers; an environment may have {MOST_CONTAINERS}", listed.len());
                problems.error(&head, 1, message);
            }
            spec.asks.privileged = listed.iter().any(|container| container.privileged);
            spec.containers = listed.iter().filter_map(|listed| container(listed, &head, problems)).collect();
            spec
        }
    };
    put_files(&mut spec, lab, list, file, problems);
    spec
}

fn empty(lifetime_minutes: u32) -> EnvironmentSpec {
    let (containers, asks) = (Vec::new(), Asks::default());
    EnvironmentSpec { containers, lifetime_minutes, idle_minutes: IDLE_MINUTES, warm: 0, asks }
}

fn container(
    listed: &pierhead_lab::LabContainer,
    head: &LabPath,
    problems: &mut Problems,
) -> Option<EnvironmentContainer> {
    let mut wrong = |message: String| problems.error(head, 1, message);
    let name = MemberName::parse(listed.name.as_str());
    let name = name.map_err(|error| wrong(format!("the container {}: {error}", listed.name))).ok()?;
    let image = ImageReference::parse(&listed.image);
    let image = image.map_err(|error| wrong(format!("the container {name}: {error}"))).ok()?;
    let memory = if listed.privileged { PRIVILEGED_MEMORY_MB } else { MEMORY_MB };
    let memory = listed.memory_mb.map_or(memory, u64::from);
    let is_name = |name: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
    };
    if !listed.environment.keys().all(|name| is_name(name)) {
        wrong(format!("the container {name}: names of variables are letters, digits and underscores"));
    }
    if listed.environment.values().chain(&listed.command).any(|text| text.contains('\0')) {
        wrong(format!("the container {name}: a zero byte in a variable or the command"));
    }
    if let Some(Err(error)) = listed.user.as_deref().map(check_container_user) {
        wrong(format!("the container {name}: {error}"));
    }
    Some(EnvironmentContainer {
        name,
        image,
        limits: Limits { reserved: Resources::new(CPU_MILLIS, memory), cpu_limit_millis: CPU_LIMIT_MILLIS },
        command: listed.command.clone(),
        environment: listed.environment.clone(),
        working_dir: None,
        user: listed.user.clone(),
        ports: listed.ports.clone(),
        files: Vec::new(),
        startup: None,
    })
}

fn put_files<'a>(
    spec: &mut EnvironmentSpec,
    lab: &Document,
    list: &[(LabPath, u64)],
    file: impl Fn(&LabPath) -> Option<&'a crate::labs::LabFile>,
    problems: &mut Problems,
) {
    let (mut count, mut bytes) = (0, 0);
    for asset in &lab.assets {
        let at = spec
            .containers
            .iter()
            .position(|container| asset.container.as_ref().is_none_or(|name| *name == container.name.as_str()));
        let Some(container) = at.and_then(|at| spec.containers.get_mut(at)) else {
            let named = asset.container.clone().unwrap_or_default();
            problems.error(&asset.file, asset.line, format!("the lab has no container {named}"));
            continue;
        };
        for (path, target) in asset.files(list) {
            let Some(file) = file(path) else { continue };
            count += 1;
            bytes += file.bytes;
            let target = if target.starts_with('/') { target } else { format!("/{target}") };
            if target.split('/').any(|part| part == "..") || target.contains('\0') || target.ends_with('/') {
                problems.error(&asset.file, asset.line, format!("{path} can't be put at {target}"));
                continue;
            }
            let mode = asset.mode.unwrap_or(if file.executable { 0o755 } else { 0o644 });
            let blob = Some(EnvironmentBlob { digest: file.digest.clone(), bytes: file.bytes });
            let file = EnvironmentFile { path: target, content: String::new(), mode, blob };
            container.files.retain(|other| other.path != file.path);
            container.files.push(file);
        }
        if count > MOST_FILES || bytes > MOST_BYTES {
            let message = format!(
                "the lab puts more than {MOST_FILES} files, or more than {} MB, into its containers; pack them into the image",
                MOST_BYTES >> 20
            );
            problems.error(&asset.file, asset.line, message);
            return;
        }
    }
}

#[cfg(test)]
mod tests;
