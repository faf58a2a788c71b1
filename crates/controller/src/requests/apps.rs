//! Requests about apps: run, scale, change, delete.

use super::edit::{AppEdit, Edit};
use super::{Actor, Container, Idempotency, MOST_SLOTS, RequestError, RunRequest, Started};
use crate::Controller;
use crate::known::Known;
use pierhead_model::{
    App, AppId, AppName, ContainerSpec, Goal, Member, MemberName, OperationId, Slot, SlotKey, SlotWish, Timestamp,
    VolumeSource,
};
use pierhead_planner::{World, age, may_have_copy};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

impl Controller {
    /// Runs containers: in an app that is the same in every respect, or in a new one.
    ///
    /// # Errors
    /// If the named app is another one, or the actor may not.
    pub async fn run(
        &self,
        actor: &Actor,
        request: &RunRequest,
        idempotency: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        check_privileges(actor, &request.spec)?;
        self.check_images(actor, &[&request.spec.image]).await?;
        if !(1..=MOST_SLOTS).contains(&request.count) {
            return Err(invalid("count", format!("a number from 1 to {MOST_SLOTS}")));
        }
        let fresh = AppId(self.ids.random());
        self.edit(actor, idempotency, request.timeout, |known, operation, now| {
            let (mut app, is_new) = match existing(known, actor, request)? {
                Some(app) => (app, false),
                None => (new_app(known, actor, request, &fresh, now)?, true),
            };
            check_links(known, actor, &request.spec)?;
            let slots = add_slots(&mut app, request.count, operation)?;
            check_one_writer(&app, "count")?;
            Ok(Edit {
                title: format!("run {} of {} as {}", request.count, request.spec.image, app.name),
                event: "run-container",
                event_message: format!("name={}, app={}, count={}", request.spec.image, app.name, request.count),
                targets: Edit::targets(slots, Goal::Added),
                describes: None,
                pull: request.pull,
                container: None,
                is_new,
                app: AppEdit::Put(app),
            })
        })
        .await
    }

    /// Sets how many slots of an app run: new ones are added, or the newest ones go.
    ///
    /// # Errors
    /// If there is no such app, or the actor may not.
    pub async fn scale(
        &self,
        actor: &Actor,
        name: &AppName,
        count: u32,
        timeout: Option<Duration>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        self.resize(actor, name, None, count, timeout, idempotency).await
    }

    /// The same; the event is about the container by which the app was named, if it was.
    pub(super) async fn resize(
        &self,
        actor: &Actor,
        name: &AppName,
        named_by: Option<&Container>,
        count: u32,
        timeout: Option<Duration>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        if count > MOST_SLOTS {
            return Err(invalid("count", format!("a number from 0 to {MOST_SLOTS}")));
        }
        let subject = named_by.map(|container| format!("id={}, ", container.observed.id)).unwrap_or_default();
        // Which containers are the newest is known once they were seen.
        self.first_look().await;
        self.edit(actor, idempotency, timeout, |known, operation, _| {
            let mut app = owned_app(known, actor, name)?;
            let targets = set_replicas(known, &mut app, count, operation)?;
            check_one_writer(&app, "count")?;
            Ok(Edit {
                title: format!("scale {name} to {count}"),
                event: "scale-container",
                event_message: format!("{subject}app={name}, count={count}"),
                targets,
                describes: None,
                pull: false,
                container: named_by.cloned(),
                is_new: false,
                app: AppEdit::Put(app),
            })
        })
        .await
    }

    /// Makes an app, or changes its description and number of replicas. A change replaces its containers one by one.
    ///
    /// # Errors
    /// If the actor may not.
    pub async fn set_app(
        &self,
        actor: &Actor,
        name: &AppName,
        spec: &ContainerSpec,
        replicas: Option<u32>,
        timeout: Option<Duration>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        check_privileges(actor, spec)?;
        self.check_images(actor, &[&spec.image]).await?;
        if replicas.is_some_and(|count| count > MOST_SLOTS) {
            return Err(invalid("replicas", format!("a number from 0 to {MOST_SLOTS}")));
        }
        let fresh = AppId(self.ids.random());
        self.first_look().await;
        self.edit(actor, idempotency, timeout, |known, operation, now| {
            let (mut app, is_new) = match known.world.app_named(name.as_str()) {
                Some(_) => (owned_app(known, actor, name)?, false),
                None => (empty_app(fresh.clone(), name.clone(), actor, spec, false, now), true),
            };
            check_links(known, actor, spec)?;
            let described = members(spec);
            let may_run_twice = !is_new && !app.has_one_writer();
            let describes = (app.members != described).then(|| app.describe(described));
            (app.transient, app.links_to_all) = (false, actor.may_run_privileged);
            check_older_copies(&known.world, &app, may_run_twice)?;
            let mut targets = Vec::new();
            if let Some(count) = replicas.or(is_new.then_some(1)) {
                targets = set_replicas(known, &mut app, count, operation)?;
            }
            check_one_writer(&app, if replicas.is_some() { "replicas" } else { "image.single_writer" })?;
            let kept = running(&app).filter(|slot| targets.iter().all(|target| target.slot != *slot));
            targets.extend(Edit::targets(kept.collect::<Vec<_>>(), Goal::Running));
            Ok(Edit {
                title: format!("set {name} to {}", spec.image),
                event: "set-app",
                event_message: format!("app={name}, name={}", spec.image),
                targets,
                describes,
                pull: false,
                container: None,
                is_new,
                app: AppEdit::Put(app),
            })
        })
        .await
    }

    /// Deletes an app with everything that it runs. Volumes stay.
    ///
    /// # Errors
    /// If there is no such app, or the actor may not.
    pub async fn delete_app(
        &self,
        actor: &Actor,
        name: &AppName,
        idempotency: Option<&Idempotency>,
    ) -> Result<Started, RequestError> {
        self.edit(actor, idempotency, None, |known, _, _| {
            let app = owned_app(known, actor, name)?;
            Ok(Edit {
                title: format!("delete {name}"),
                event: "delete-app",
                event_message: format!("app={name}"),
                targets: Edit::targets(app.slots.keys().copied(), Goal::Gone),
                describes: None,
                pull: false,
                container: None,
                is_new: false,
                app: AppEdit::Delete(app),
            })
        })
        .await
    }
}

pub(super) fn invalid(field: &'static str, expected: String) -> RequestError {
    RequestError::Invalid { field, expected }
}

fn check_privileges(actor: &Actor, spec: &ContainerSpec) -> Result<(), RequestError> {
    if actor.may_run_privileged {
        return Ok(());
    }
    if let Some(privilege) = spec.privileges().first() {
        return Err(RequestError::Forbidden(format!(
            "your role may not give {privilege} to a container; ask an administrator"
        )));
    }
    let foreign = |source: &VolumeSource| match source {
        VolumeSource::Named(name) if source.owner() != Some(actor.username.as_str()) => Some(name.clone()),
        _ => None,
    };
    let found = spec.volumes.iter().enumerate().find_map(|(at, volume)| Some((at, foreign(&volume.source)?)));
    found.map_or(Ok(()), |(at, volume)| Err(RequestError::ForeignVolume { at, volume, owner: actor.username.clone() }))
}

/// A container that is linked to tells its environment: that of others is nobody's business. What is not there yet is
/// looked at when it is.
fn check_links(known: &Known, actor: &Actor, spec: &ContainerSpec) -> Result<(), RequestError> {
    if actor.may_run_privileged || spec.links.is_empty() {
        return Ok(());
    }
    let (mut own, mut foreign) = (BTreeSet::new(), BTreeSet::new());
    for container in known.world.engines().values().flat_map(|state| state.containers.values()) {
        if spec.links.contains_key(&container.name) {
            let is_own = known.world.owner_of(container).as_ref() == Some(&actor.username);
            if is_own { &mut own } else { &mut foreign }.insert(&container.name);
        }
    }
    match foreign.difference(&own).next() {
        Some(&name) => Err(RequestError::ForeignLink(name.clone())),
        None => Ok(()),
    }
}

/// The app, if the actor may change it.
pub(super) fn owned_app(known: &Known, actor: &Actor, name: &AppName) -> Result<App, RequestError> {
    let app = known.world.app_named(name.as_str()).ok_or_else(|| RequestError::NotFound {
        what: "app",
        id: name.to_string(),
        replaced_by: None,
    })?;
    may_change(actor, app)?;
    Ok(app.clone())
}

/// Refuses the app of somebody else.
pub(super) fn may_change(actor: &Actor, app: &App) -> Result<(), RequestError> {
    if app.owner == actor.username || actor.may_change_all {
        Ok(())
    } else {
        Err(RequestError::Forbidden(format!(
            "app {} belongs to {}; only they or an administrator may change it",
            app.name, app.owner
        )))
    }
}

fn members(spec: &ContainerSpec) -> Vec<Member> {
    vec![Member { name: MemberName::main(), spec: spec.clone() }]
}

/// The app that a run adds to: the named one, or one that is the same in every respect.
fn existing(known: &Known, actor: &Actor, request: &RunRequest) -> Result<Option<App>, RequestError> {
    let described = members(&request.spec);
    let is_same = |app: &App| app.owner == actor.username && app.members == described;
    match &request.app {
        Some(name) => match known.world.app_named(name.as_str()) {
            None => Ok(None),
            Some(app) if is_same(app) => Ok(Some(app.clone())),
            Some(_) => Err(RequestError::Differs { app: name.clone() }),
        },
        None => {
            let same = known.world.apps().values().filter(|app| is_same(app));
            Ok(same.min_by_key(|app| (!app.transient, app.created_at, app.id.clone())).cloned())
        }
    }
}

fn new_app(
    known: &Known,
    actor: &Actor,
    request: &RunRequest,
    id: &AppId,
    now: Timestamp,
) -> Result<App, RequestError> {
    let name = match &request.app {
        Some(name) => name.clone(),
        None => free_name(known, request.spec.image.base_name()).ok_or_else(|| {
            invalid("app", "a name that is not taken; none could be made up from the image's".to_owned())
        })?,
    };
    Ok(empty_app(id.clone(), name, actor, &request.spec, true, now))
}

fn empty_app(id: AppId, name: AppName, actor: &Actor, spec: &ContainerSpec, transient: bool, now: Timestamp) -> App {
    App {
        id,
        name,
        owner: actor.username.clone(),
        transient,
        members: members(spec),
        version: 1,
        newest_version: 1,
        former: None,
        taken_back: None,
        links_to_all: actor.may_run_privileged,
        slots: BTreeMap::new(),
        next_slot: 0,
        created_at: now,
    }
}

/// A name made up from the image's: `httpd`, `httpd-2`, …
fn free_name(known: &Known, base: &str) -> Option<AppName> {
    let cleaned: String =
        base.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).take(30).collect();
    let cleaned = cleaned.trim_matches('-');
    let base = if cleaned.is_empty() { "app" } else { cleaned };
    let candidates = std::iter::once(base.to_owned()).chain((2..10_000).map(|number| format!("{base}-{number}")));
    candidates.filter_map(|name| AppName::parse(name).ok()).find(|name| known.world.app_named(name.as_str()).is_none())
}

fn add_slots(app: &mut App, count: u32, operation: &OperationId) -> Result<Vec<Slot>, RequestError> {
    let there = u32::try_from(app.slots.len()).unwrap_or(u32::MAX);
    if there.saturating_add(count) > MOST_SLOTS {
        return Err(invalid(
            "count",
            format!(
                "at most {}: app {} has {there} of the {MOST_SLOTS} containers that an app can have",
                MOST_SLOTS.saturating_sub(there),
                app.name
            ),
        ));
    }
    Ok(app.add_slots(count, operation))
}

/// An app that must not run twice has one container, be it stopped or at its end.
fn check_one_writer(app: &App, field: &'static str) -> Result<(), RequestError> {
    let (name, count) = (&app.name, app.slots.len());
    if !app.has_one_writer() || count <= 1 {
        return Ok(());
    }
    Err(invalid(
        field,
        if field == "image.single_writer" {
            format!("left out, as app {name} has {count} containers: scale it to 1 first")
        } else {
            format!("0 or 1, since app {name} has one writer")
        },
    ))
}

/// What may run twice until now has one writer only once it is known that no older copy runs.
fn check_older_copies(world: &World, app: &App, may_run_twice: bool) -> Result<(), RequestError> {
    let unseen = may_have_copy(world, app).filter(|_| may_run_twice && app.has_one_writer());
    unseen.map_or(Ok(()), |host| {
        let expected = format!(
            "left out while host {host} does not answer: an older copy of {} may run there; set it when the host answers \
             or was removed",
            app.name
        );
        Err(invalid("image.single_writer", expected))
    })
}

fn running(app: &App) -> impl Iterator<Item = Slot> + '_ {
    app.slots.iter().filter(|(_, intent)| intent.wish == SlotWish::Running).map(|(slot, _)| *slot)
}

/// Adds or removes slots until `count` run. The newest go first; those that are stopped or have run to their end
/// neither count nor go.
fn set_replicas(
    known: &Known,
    app: &mut App,
    count: u32,
    operation: &OperationId,
) -> Result<Vec<pierhead_model::Target>, RequestError> {
    let assignment = |slot: &Slot| known.world.assignments().get(&SlotKey { app: app.id.clone(), slot: *slot });
    let mut counted: Vec<Slot> =
        running(app).filter(|slot| assignment(slot).is_none_or(|found| found.exit.is_none())).collect();
    // Newest first, as containers are listed; what has no container yet is newer than all that have.
    counted.sort_by_cached_key(|slot| {
        let containers = assignment(slot).map(|found| known.world.current(found)).unwrap_or_default();
        let oldest = containers.into_values().map(age).min();
        Reverse((oldest.is_none(), oldest, *slot))
    });
    let there = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    if count >= there {
        let added = add_slots(app, count - there, operation)?;
        return Ok(Edit::targets(added, Goal::Added));
    }
    let surplus = &counted[..(there - count) as usize];
    for slot in surplus {
        app.slots.remove(slot);
    }
    Ok(Edit::targets(surplus.iter().copied(), Goal::Gone))
}
