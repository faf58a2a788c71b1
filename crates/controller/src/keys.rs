//! Where each record lies in the store.

use pierhead_model::{
    AppId, AppName, AttemptId, CourseId, EngineId, EnvironmentId, ImageId, ImageReference, KeptRecording, LabId,
    OperationId, RegistryHost, SaveId, SlotKey, SubmissionKey, TerminalId, Username, WorkspaceId,
};

/// Records of engines.
pub const ENGINES: &str = "spec/engines/";
/// Records of apps.
pub const APPS: &str = "spec/apps/";
/// The app of each name: what makes a name unique.
pub const APP_NAMES: &str = "spec/app-names/";
/// Where slots live.
pub const ASSIGNMENTS: &str = "assignments/";
/// Requests that take time.
pub const OPERATIONS: &str = "operations/";
/// Which operation a retried request is about.
pub const IDEMPOTENCY: &str = "idempotency/";
/// Accounts.
pub const ACCOUNTS: &str = "accounts/";
/// Roles.
pub const ROLES: &str = "roles/";
/// Which account an id is taken by.
pub const ACCOUNT_IDS: &str = "account-ids/";
/// Hashes of tokens.
pub const TOKENS: &str = "tokens/";
/// Hosts that were removed by hand and are to be erased from the registry of hosts.
pub const UNREGISTERED: &str = "unregistered/";
/// Hashes of the secrets with which hosts join.
pub const JOINS: &str = "joins/";
/// The authority of the pool's certificates.
pub const AUTHORITY: &str = "authority";
/// The controllers of the pool, each under a lease of its own.
pub const CONTROLLERS: &str = "controllers/";
/// Written by whoever wants to know how far the controllers are: each notes that it has seen it.
pub const CONTROLLERS_ASKED: &str = "controllers-asked";
/// Which of them leads.
pub(crate) const LEADER: &str = "leader/controller";
/// Image archives that were sent in.
pub const IMAGES: &str = "images/";
/// The image of each name that was sent in.
pub const IMAGE_TAGS: &str = "image-tags/";
/// The pool's accounts at registries.
pub const REGISTRIES: &str = "registries/";
/// Terminals in containers.
pub const TERMINALS: &str = "terminals/";
/// Environments.
pub const ENVIRONMENTS: &str = "environments/";
/// When somebody last added to the environments of an account: whoever does so is compared with it.
pub(crate) const ENVIRONMENTS_COUNTED: &str = "environments-counted/";
/// What people want of workspaces.
pub const WORKSPACES: &str = "workspaces/";
/// Where workspaces live and how far they are.
pub const WORKSPACE_ASSIGNMENTS: &str = "workspace-assignments/";
/// Raised hands, by their workspaces.
pub const HANDS: &str = "hands/";
/// Messages to many people.
pub const MESSAGES: &str = "messages/";
/// Saves of workspaces.
pub const SAVES: &str = "saves/";
/// How the environment was described that the workspace of a save was made from.
pub(crate) const SAVE_SPECS: &str = "save-specs/";
/// What the saves of each person and each environment come to.
pub(crate) const SAVE_TOTALS: &str = "save-totals/";
/// What the school's registry has of saves that were deleted.
pub(crate) const SAVES_LEFT: &str = "saves-left/";
/// Labs.
pub const LABS: &str = "labs/";
/// When somebody last began at each lab: whoever deletes something of it is compared with that.
pub(crate) const LABS_BEGUN: &str = "labs-begun/";
/// What is remembered of the drafts of labs.
pub const LAB_HISTORY: &str = "lab-history/";
/// What the images of other platforms become in labs that are imported.
pub const LAB_IMAGES: &str = "lab-images";
/// Attempts at labs.
pub const ATTEMPTS: &str = "attempts/";
/// The attempt of each account at a lab: what makes it the only one.
pub(crate) const ATTEMPTS_OF: &str = "attempts-of/";
/// Hashes of tickets with which browsers begin to see ports of workspaces.
pub const PREVIEW_TICKETS: &str = "preview-tickets/";
/// Courses.
pub const COURSES: &str = "courses/";
/// Who takes each course.
pub const ENROLMENTS: &str = "enrolments/";
/// What came of the last look at the school's own list of people.
pub const ROSTER: &str = "roster";
/// Hashes of links with which somebody logs in once.
pub const LINKS: &str = "links/";
/// Hashes of links of the school's site that were used: none counts twice.
pub const REDIRECTS: &str = "redirects/";
/// How work at labs of courses is handed in and graded.
pub const WORK: &str = "work/";
/// Work that was handed in, by courses, labs, accounts and numbers.
pub const SUBMISSIONS: &str = "submissions/";
/// Those of them that are under way.
pub(crate) const SUBMITTING: &str = "submitting/";
/// The saves that were handed in, and for what.
pub(crate) const SUBMITTED_SAVES: &str = "submitted-saves/";
/// What people said of work, by courses, labs and accounts.
pub const GRADES: &str = "grades/";
/// What workspaces used, by courses and accounts.
pub const USAGE: &str = "usage/";
/// When nobody could hand in anything.
pub(crate) const SERVICE: &str = "service";
/// Whose account each person at a provider of log-ins has.
pub const OIDC_SUBJECTS: &str = "oidc-subjects/";
/// Which person at a provider of log-ins has each account.
pub const OIDC_ACCOUNTS: &str = "oidc-accounts/";
/// Recordings of class work that are kept, by courses, labs and accounts.
pub const RECORDINGS: &str = "recordings/";
/// The terminals whose recordings were deleted, and why: they are not kept again.
pub(crate) const UNRECORDED: &str = "unrecorded/";
/// The event log. Its keys are such that the newest comes first in a listing.
pub const EVENTS: &str = "log/";
/// Says that the records were restored from a backup, until somebody says that all is well.
pub const RESTORED: &str = pierhead_store::backup::RESTORED;
/// How far the events of each engine are in the log.
pub const EVENT_CURSORS: &str = "event-cursors/";

/// What is sealed where it lies: apps, environments, saves, workspaces and what of these is on a host hold the variables of
/// containers, and a command may hold a password; attempts hold what the values of a lab's variables are made of.
pub(crate) const SEALED: &[&str] =
    &[APPS, TERMINALS, ENVIRONMENTS, WORKSPACES, WORKSPACE_ASSIGNMENTS, SAVE_SPECS, ATTEMPTS];

/// The key of a raised hand.
#[must_use]
pub fn hand(workspace: &WorkspaceId) -> String {
    format!("{HANDS}{workspace}")
}

/// The key of a message to many people.
#[must_use]
pub fn message(id: &str) -> String {
    format!("{MESSAGES}{id}")
}

/// The key of how work at a lab of a course is handed in and graded.
#[must_use]
pub fn work(course: &CourseId, lab: &LabId) -> String {
    format!("{WORK}{course}/{lab}")
}

/// The key of a submission: later ones of the same student sort after earlier ones.
#[must_use]
pub fn submission(key: &SubmissionKey) -> String {
    format!("{}{:04}", submissions_of(key), key.number)
}

/// What the keys begin with of all that the student of one submission handed in for its lab.
pub(crate) fn submissions_of(key: &SubmissionKey) -> String {
    submissions_by(&key.course, &key.lab, &key.account)
}

/// What the keys begin with of what a student handed in for a lab.
pub(crate) fn submissions_by(course: &CourseId, lab: &LabId, account: &Username) -> String {
    format!("{SUBMISSIONS}{course}/{lab}/{account}/")
}

/// The key that says that a submission is under way.
pub(crate) fn submitting(key: &SubmissionKey) -> String {
    let SubmissionKey { course, lab, account, number } = key;
    format!("{SUBMITTING}{course}/{lab}/{account}/{number:04}")
}

/// The key that says that a save was handed in.
pub(crate) fn submitted_save(save: &SaveId) -> String {
    format!("{SUBMITTED_SAVES}{save}")
}

/// The key of what people said of a student's work at a lab.
#[must_use]
pub fn grade(course: &CourseId, lab: &LabId, account: &Username) -> String {
    format!("{GRADES}{course}/{lab}/{account}")
}

/// The key of what somebody's workspaces used for a course, or for none: no course is called `-`.
#[must_use]
pub fn usage(course: Option<&CourseId>, account: &Username) -> String {
    format!("{}{account}", usage_for(course))
}

/// What the keys begin with of what was used for a course, or for none.
pub(crate) fn usage_for(course: Option<&CourseId>) -> String {
    format!("{USAGE}{}/", course.map_or("-", CourseId::as_str))
}

/// The key of a recording that is kept.
#[must_use]
pub fn recording(record: &KeptRecording) -> String {
    format!("{}{}", recordings_by(&record.course, &record.lab, &record.account), record.id)
}

/// What the keys begin with of the recordings of somebody's attempt at a lab of a course.
pub(crate) fn recordings_by(course: &CourseId, lab: &LabId, account: &Username) -> String {
    format!("{RECORDINGS}{course}/{lab}/{account}/")
}

/// The key that says that the recording of a terminal was deleted.
pub(crate) fn unrecorded(terminal: &TerminalId) -> String {
    format!("{UNRECORDED}{terminal}")
}

/// The key of an engine's record.
#[must_use]
pub fn engine(id: &EngineId) -> String {
    format!("{ENGINES}{id}")
}

/// The key of an app's record.
#[must_use]
pub fn app(id: &AppId) -> String {
    format!("{APPS}{id}")
}

/// The key that makes an app's name unique.
#[must_use]
pub fn app_name(name: &AppName) -> String {
    format!("{APP_NAMES}{name}")
}

/// The key of an assignment.
#[must_use]
pub fn assignment(slot: &SlotKey) -> String {
    format!("{ASSIGNMENTS}{}/{}", slot.app, slot.slot)
}

/// The key of an operation.
#[must_use]
pub fn operation(id: &OperationId) -> String {
    format!("{OPERATIONS}{id}")
}

/// The key of a retried request. Of the client's own key only a fingerprint goes in: it may hold anything.
#[must_use]
pub fn idempotency(actor: &Username, fingerprint: &str) -> String {
    format!("{IDEMPOTENCY}{actor}/{fingerprint}")
}

/// The key of what says that an account's id is taken.
#[must_use]
pub fn account_id(id: &str) -> String {
    format!("{ACCOUNT_IDS}{id}")
}

/// The key of an account.
#[must_use]
pub fn account(name: &Username) -> String {
    format!("{ACCOUNTS}{name}")
}

/// The key of a role.
#[must_use]
pub fn role(name: &str) -> String {
    format!("{ROLES}{name}")
}

/// The key of a token's record.
#[must_use]
pub fn token(hash: &str) -> String {
    format!("{TOKENS}{hash}")
}

/// The key of a controller's record.
#[must_use]
pub fn controller(id: &str) -> String {
    format!("{CONTROLLERS}{id}")
}

/// The key of a join token's record, by the SHA-256 of its secret.
#[must_use]
pub fn join(hash: &str) -> String {
    format!("{JOINS}{hash}")
}

/// The key of a removed host that may still be in the registry.
#[must_use]
pub fn unregistered(id: &EngineId) -> String {
    format!("{UNREGISTERED}{id}")
}

/// The key of an image archive's record.
#[must_use]
pub fn image(id: &ImageId) -> String {
    format!("{IMAGES}{}", id.digits())
}

/// The key that makes a name of an image unique.
#[must_use]
pub fn image_tag(tag: &ImageReference) -> String {
    format!("{IMAGE_TAGS}{tag}")
}

/// The key of the pool's account at a registry.
#[must_use]
pub fn registry(host: &RegistryHost) -> String {
    format!("{REGISTRIES}{host}")
}

/// The key of a terminal's record.
#[must_use]
pub fn terminal(id: &TerminalId) -> String {
    format!("{TERMINALS}{id}")
}

/// The key of an environment.
#[must_use]
pub fn environment(id: &EnvironmentId) -> String {
    format!("{ENVIRONMENTS}{id}")
}

/// The key of a lab.
#[must_use]
pub fn lab(id: &LabId) -> String {
    format!("{LABS}{id}")
}

/// The key of what is remembered of the drafts of a lab.
#[must_use]
pub fn lab_history(id: &LabId) -> String {
    format!("{LAB_HISTORY}{id}")
}

/// The key of what people want of a workspace.
#[must_use]
pub fn workspace(id: &WorkspaceId) -> String {
    format!("{WORKSPACES}{id}")
}

/// The key of where a workspace lives.
#[must_use]
pub fn workspace_assignment(id: &WorkspaceId) -> String {
    format!("{WORKSPACE_ASSIGNMENTS}{id}")
}

/// The key of a save.
#[must_use]
pub fn save(id: &SaveId) -> String {
    format!("{SAVES}{id}")
}

/// The key of a course.
#[must_use]
pub fn course(id: &CourseId) -> String {
    format!("{COURSES}{id}")
}

/// The key of who takes a course.
#[must_use]
pub fn enrolments(id: &CourseId) -> String {
    format!("{ENROLMENTS}{id}")
}

/// The key of an attempt at a lab.
#[must_use]
pub fn attempt(id: &AttemptId) -> String {
    format!("{ATTEMPTS}{id}")
}

/// The key of which attempt is an account's at a lab, in a course or by itself.
pub(crate) fn attempt_of(account: &Username, lab: &LabId, course: Option<&str>) -> String {
    format!("{ATTEMPTS_OF}{account}/{lab}/{}", course.unwrap_or("-"))
}

/// The key of when somebody last added to the environments of an account.
pub(crate) fn environments_counted(owner: &Username) -> String {
    format!("{ENVIRONMENTS_COUNTED}{owner}")
}

/// The key of the description that a save was made of.
pub(crate) fn save_spec(id: &SaveId) -> String {
    format!("{SAVE_SPECS}{id}")
}

/// The key of when somebody last began at a lab.
pub(crate) fn lab_begun(id: &LabId) -> String {
    format!("{LABS_BEGUN}{id}")
}

/// The key of what the school's registry has of a save that was deleted.
pub(crate) fn save_left(id: &SaveId) -> String {
    format!("{SAVES_LEFT}{id}")
}

/// The key of what somebody's saves come to.
pub(crate) fn save_totals_of_person(owner: &Username) -> String {
    format!("{SAVE_TOTALS}people/{owner}")
}

/// The key of what the saves of an environment's workspaces come to.
pub(crate) fn save_totals_of_environment(id: &EnvironmentId) -> String {
    format!("{SAVE_TOTALS}environments/{id}")
}

/// The key of an event: its id with each digit turned over, so that later ones sort before earlier ones.
#[must_use]
pub fn event(id: &str) -> String {
    format!("{EVENTS}{}", turned(id))
}

/// The id of the event at a key.
#[must_use]
pub fn event_id(key: &str) -> String {
    turned(key.strip_prefix(EVENTS).unwrap_or(key))
}

/// The moment that the id of an event tells, in milliseconds since 1970: when it was logged. 0 for what is no such id.
#[must_use]
pub fn event_time(id: &str) -> u64 {
    id.get(..14).and_then(|moment| u64::from_str_radix(moment, 16).ok()).map_or(0, |moment| moment >> 12)
}

/// Where it is kept how far the events of an engine are in the log.
#[must_use]
pub fn event_cursor(engine: &EngineId) -> String {
    format!("{EVENT_CURSORS}{engine}")
}

fn turned(hexadecimal: &str) -> String {
    let turn = |digit: char| digit.to_digit(16).and_then(|value| char::from_digit(15 - value, 16)).unwrap_or(digit);
    hexadecimal.chars().map(turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Ids};

    #[test]
    fn the_keys_of_later_events_come_first() {
        let (clock, ids) = (Clock::start(), Ids::new(Clock::start()));
        let made: Vec<String> = (0..1_000).map(|_| ids.unique()).collect();
        assert!(made.windows(2).all(|pair| event(&pair[0]) > event(&pair[1])));
        assert!(made.iter().all(|id| event_id(&event(id)) == *id));
        assert!(event_time(&made[0]).abs_diff(clock.now().0) < 10_000);
        assert_eq!((event_time("x"), event_time("")), (0, 0));
    }
}
