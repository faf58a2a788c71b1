//! What there is of people and courses, with the revisions that it was read at.

use crate::{Controller, keys};
use pierhead_identity::Present;
use pierhead_model::{Account, Course, CourseId, Enrolments, Username};
use pierhead_store::{Entry, MAX_PAGE_ENTRIES, Result, Revision, Store};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Everything that a list is compared with.
pub(super) struct Read {
    pub present: Arc<Present>,
    accounts: HashMap<Username, Revision>,
    courses: BTreeMap<CourseId, Revision>,
    enrolments: BTreeMap<CourseId, Revision>,
}

/// What matters here of names of images.
#[derive(Deserialize)]
struct Owned {
    owner: Username,
}

impl Read {
    /// Reads it, a page at a time. What changes meanwhile is found out when it is written.
    pub async fn all(controller: &Controller) -> Result<Self> {
        let store = &**controller.store();
        let (mut present, mut accounts) = (Present::default(), HashMap::new());
        each(store, keys::ACCOUNTS, |entry| {
            let account = entry.json::<Account>()?;
            accounts.insert(account.username.clone(), entry.modified);
            present.accounts.insert(account.username.clone(), account);
            Ok(())
        })
        .await?;
        let mut courses = BTreeMap::new();
        each(store, keys::COURSES, |entry| {
            let course = entry.json::<Course>()?;
            courses.insert(course.id.clone(), entry.modified);
            present.courses.insert(course.id.clone(), course);
            Ok(())
        })
        .await?;
        let mut enrolments = BTreeMap::new();
        each(store, keys::ENROLMENTS, |entry| {
            let id = entry.key.strip_prefix(keys::ENROLMENTS).and_then(|id| CourseId::parse(id).ok());
            if let Some(id) = id {
                enrolments.insert(id.clone(), entry.modified);
                present.enrolments.insert(id, entry.json::<Enrolments>()?);
            }
            Ok(())
        })
        .await?;
        present.taken = former_owners(controller, &present.accounts).await?;
        Ok(Self { present: Arc::new(present), accounts, courses, enrolments })
    }

    pub fn account(&self, name: &Username) -> Option<(&Account, Revision)> {
        self.present.accounts.get(name).zip(self.accounts.get(name).copied())
    }

    pub fn course(&self, id: &CourseId) -> Option<(&Course, Revision)> {
        self.present.courses.get(id).zip(self.courses.get(id).copied())
    }

    pub fn enrolments(&self, id: &CourseId) -> Option<(&Enrolments, Revision)> {
        self.present.enrolments.get(id).zip(self.enrolments.get(id).copied())
    }
}

/// Names without an account that own apps or uploaded images: a new account would get these.
async fn former_owners(controller: &Controller, accounts: &HashMap<Username, Account>) -> Result<HashSet<Username>> {
    let mut owners: HashSet<Username> = controller.known().world.apps().values().map(|app| app.owner.clone()).collect();
    each(&**controller.store(), keys::IMAGE_TAGS, |entry| {
        owners.insert(entry.json::<Owned>()?.owner);
        Ok(())
    })
    .await?;
    owners.retain(|owner| !accounts.contains_key(owner));
    Ok(owners)
}

async fn each(store: &dyn Store, prefix: &str, mut take: impl FnMut(&Entry) -> Result<()>) -> Result<()> {
    let mut after: Option<Arc<str>> = None;
    loop {
        let page = store.list(prefix, after.as_deref(), MAX_PAGE_ENTRIES).await?;
        page.entries.iter().try_for_each(&mut take)?;
        match page.entries.last() {
            Some(last) if page.entries.len() == MAX_PAGE_ENTRIES => after = Some(Arc::clone(&last.key)),
            _ => return Ok(()),
        }
        tokio::task::yield_now().await;
    }
}
