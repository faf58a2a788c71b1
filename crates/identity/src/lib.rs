//! Who people are by a school's own list: how it is read (CSV, MySQL, MariaDB, PostgreSQL), and what of ours is otherwise.
//!
//! Lists are only ever read. What is to change is worked out here, purely; it is carried out by the controller. And who somebody
//! is by the word of a school's site, or of a provider of log-ins.

mod csv;
mod deadline;
mod diff;
mod error;
mod hash;
mod mapping;
mod oidc;
mod redirect;
mod roster;
mod source;
mod table;
mod zone;

pub use deadline::{deadline_moment, wall_time};
pub use diff::{
    Changes, CourseAct, CourseChange, EnrolmentChange, Excess, PersonAct, PersonChange, Present, Totals, diff,
};
pub use error::SourceError;
pub use hash::{SchoolHash, fingerprint};
pub use mapping::Mapping;
pub use oidc::{NameProblem, OidcError, OidcLogIn, OidcPerson, OidcProvider, OidcSettings, TokenError};
pub use redirect::{KeyError, RedirectError, RedirectKeys, RedirectLink, SIGNATURE};
pub use roster::{Enrolled, Listed, Person, Problem, Roster, SchoolRole};
#[cfg(feature = "sql")]
pub use source::{AddressError, DatabaseAddress};
pub use source::{CsvTexts, RosterSource};
pub use table::Table;
pub use zone::{is_zone, local_moment};
