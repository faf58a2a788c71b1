//! A school's list as plain data, and how rows become it. A row that can't be used is left out and told; it never stops the
//! others.

use crate::table::{Columns, excerpt};
use crate::{SchoolHash, SourceError, Table, is_zone};
use pierhead_model::{Course, CourseId, Enrolments, Username, Zone};
use serde::Serialize;
use std::collections::HashMap;

/// The most rows of each table. No school has more, and a query that was written wrongly may.
const MOST_PEOPLE: usize = 200_000;
const MOST_COURSES: usize = 20_000;
const MOST_ENROLMENTS: usize = 2_000_000;
/// How many rows that can't be used are told.
const MOST_TOLD: usize = 100;
/// The longest name, title or term, in characters.
const LONGEST: usize = 200;

/// What a list says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Everybody, by user name.
    pub people: Vec<Person>,
    /// All courses, by id.
    pub courses: Vec<Listed>,
    /// Who gives and takes what.
    pub enrolments: Vec<Enrolled>,
    /// The groups' names that enrolments point to.
    pub groups: Vec<String>,
    /// Whether the list says anything about groups.
    pub has_groups: bool,
    /// People of whom the list says two things: nothing of theirs is changed.
    pub unclear: Vec<Username>,
    /// The first rows that could not be used.
    pub problems: Vec<Problem>,
    /// How many rows could not be used.
    pub unusable: usize,
    /// How many rows there were.
    pub rows: usize,
}

/// Somebody on the list.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The name to log in with.
    pub username: Username,
    /// What they are called; may be empty.
    pub full_name: String,
    /// What they are at school.
    pub role: SchoolRole,
    /// The school's hash of their password.
    pub password: Option<SchoolHash>,
    /// Whether they may log in.
    pub active: bool,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { username, role, active, .. } = self;
        f.debug_struct("Person")
            .field("username", username)
            .field("role", role)
            .field("active", active)
            .finish_non_exhaustive()
    }
}

/// A course on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: CourseId,
    /// What people call it; its id if the list does not say.
    pub title: String,
    /// The term.
    pub term: String,
    /// The time zone, if the list says it.
    pub zone: Option<Zone>,
}

/// That somebody gives or takes a course: places in the other two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Enrolled {
    /// The course.
    pub course: u32,
    /// The person.
    pub person: u32,
    /// As what.
    pub role: SchoolRole,
    /// The place of the group's name.
    pub group: Option<u32>,
}

/// What somebody is at school, or in a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchoolRole {
    /// Takes courses.
    Student,
    /// Helps in courses.
    Assistant,
    /// Gives courses.
    Teacher,
}

impl SchoolRole {
    /// The word for it, which is the name of the role too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Assistant => "assistant",
            Self::Teacher => "teacher",
        }
    }

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Student);
        }
        [Self::Student, Self::Assistant, Self::Teacher]
            .into_iter()
            .find(|role| role.as_str().eq_ignore_ascii_case(text))
    }
}

/// A row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The table.
    pub table: Table,
    /// The row, from 1; the line of column names does not count.
    pub row: usize,
    /// What is wrong.
    pub what: String,
}

/// A list in the making. Tables are read in the order of [`Table::ALL`].
#[derive(Default)]
pub(crate) struct Reading {
    roster: Roster,
    row: usize,
    table: Option<Table>,
    people: HashMap<Username, u32>,
    courses: HashMap<CourseId, u32>,
    groups: HashMap<String, u32>,
    unclear: HashMap<Username, usize>,
}

type Field<'a> = dyn Fn(usize) -> Option<&'a str> + 'a;

impl Reading {
    /// Takes a row, of which the known columns are asked for by their places.
    pub fn row<'a>(
        &mut self,
        table: Table,
        columns: &Columns,
        get: impl Fn(usize) -> Option<&'a str> + 'a,
    ) -> Result<(), SourceError> {
        if self.table.replace(table) != Some(table) {
            self.row = 0;
        }
        self.row += 1;
        self.roster.rows += 1;
        let get = |column| get(column).map(str::trim).filter(|text| !text.is_empty());
        let (most, taken) = match table {
            Table::People => (MOST_PEOPLE, self.person(&get)),
            Table::Courses => (MOST_COURSES, self.course(&get)),
            Table::Enrolments => {
                self.roster.has_groups |= columns.get(3).is_some();
                (MOST_ENROLMENTS, self.enrolment(&get))
            }
        };
        if self.row > most {
            return Err(SourceError::TooMany { table, most });
        }
        if let Err(what) = taken {
            self.tell(table, self.row, what);
        }
        Ok(())
    }

    fn tell(&mut self, table: Table, row: usize, what: String) {
        self.roster.unusable += 1;
        if self.roster.problems.len() < MOST_TOLD {
            self.roster.problems.push(Problem { table, row, what });
        }
    }

    fn person(&mut self, get: &Field<'_>) -> Result<(), String> {
        let username = username(get(0))?;
        let person = Person {
            full_name: text("name", get(1))?,
            role: role(get(2))?,
            password: get(3)
                .map(SchoolHash::parse)
                .transpose()
                .map_err(|refused| format!("password_hash of {username} {refused}"))?,
            active: active(get(4))?,
            username,
        };
        match self.people.get(&person.username) {
            None => {
                let at = self.roster.people.len() as u32;
                self.people.insert(person.username.clone(), at);
                self.roster.people.push(person);
                Ok(())
            }
            Some(at) if self.roster.people[*at as usize] == person => Ok(()),
            Some(_) => {
                let what = format!(
                    "says something else of {} than a row before; nothing of theirs is changed",
                    person.username
                );
                self.unclear.insert(person.username, self.row);
                Err(what)
            }
        }
    }

    fn course(&mut self, get: &Field<'_>) -> Result<(), String> {
        let id = course(get(0))?;
        let title = text("title", get(1))?;
        let zone = match get(3) {
            None => None,
            Some(name) => {
                let zone = Zone::parse(name).ok().filter(is_zone);
                Some(zone.ok_or_else(|| format!("zone {:?} is no time zone, such as Asia/Shanghai", excerpt(name)))?)
            }
        };
        let listed = Listed {
            title: if title.is_empty() { id.to_string() } else { title },
            term: text("term", get(2))?.chars().take(64).collect(),
            zone,
            id,
        };
        match self.courses.get(&listed.id) {
            None => {
                self.courses.insert(listed.id.clone(), self.roster.courses.len() as u32);
                self.roster.courses.push(listed);
                Ok(())
            }
            Some(at) if self.roster.courses[*at as usize] == listed => Ok(()),
            Some(_) => Err(format!("says something else of course {} than a row before; the first counts", listed.id)),
        }
    }

    fn enrolment(&mut self, get: &Field<'_>) -> Result<(), String> {
        let (course, username) = (course(get(0))?, username(get(1))?);
        let at = *self.courses.get(&course).ok_or_else(|| format!("course {course} is not among the courses"))?;
        let person = *self.people.get(&username).ok_or_else(|| format!("{username} is not among the people"))?;
        let (role, group) = (role(get(2))?, self.group(get(3))?);
        self.roster.enrolments.push(Enrolled { course: at, person, role, group });
        Ok(())
    }

    fn group(&mut self, name: Option<&str>) -> Result<Option<u32>, String> {
        let Some(name) = name else { return Ok(None) };
        Enrolments::check_group(name).map_err(|refused| refused.to_string())?;
        if let Some(at) = self.groups.get(name) {
            return Ok(Some(*at));
        }
        let at = self.roster.groups.len() as u32;
        self.groups.insert(name.to_owned(), at);
        self.roster.groups.push(name.to_owned());
        Ok(Some(at))
    }

    /// All that was read. Of who is named twice for one course, the most that they are counts.
    pub fn done(mut self) -> Roster {
        let mut enrolments = std::mem::take(&mut self.roster.enrolments);
        enrolments.sort_unstable_by_key(|one| (one.course, one.person, std::cmp::Reverse(one.role), one.group));
        enrolments.dedup_by_key(|one| (one.course, one.person));
        let mut students = vec![0_usize; self.roster.courses.len()];
        let mut surplus = vec![0_usize; self.roster.courses.len()];
        enrolments.retain(|one| {
            let (course, is_student) = (one.course as usize, one.role == SchoolRole::Student);
            students[course] += usize::from(is_student);
            let is_surplus = is_student && students[course] > Course::MOST_STUDENTS;
            surplus[course] += usize::from(is_surplus);
            !is_surplus
        });
        for at in (0..surplus.len()).filter(|at| surplus[*at] > 0) {
            let (id, most) = (&self.roster.courses[at].id, Course::MOST_STUDENTS);
            let what = format!("course {id} has more than {most} students; {} are left out", surplus[at]);
            self.tell(Table::Enrolments, 0, what);
        }
        enrolments.shrink_to_fit();
        self.roster.enrolments = enrolments;
        self.roster.unclear = self.unclear.into_keys().collect();
        self.roster.unclear.sort();
        self.roster
    }
}

fn username(text: Option<&str>) -> Result<Username, String> {
    let text = text.ok_or("username is empty")?;
    Username::parse(text).map_err(|invalid| format!("username {:?} is none: a {invalid}", excerpt(text)))
}

fn course(text: Option<&str>) -> Result<CourseId, String> {
    let text = text.ok_or("course is empty")?;
    CourseId::parse(text).map_err(|invalid| format!("course {:?} is none: a {invalid}", excerpt(text)))
}

fn role(text: Option<&str>) -> Result<SchoolRole, String> {
    let text = text.unwrap_or_default();
    SchoolRole::read(text).ok_or_else(|| format!("role {:?} is not student, assistant or teacher", excerpt(text)))
}

fn active(text: Option<&str>) -> Result<bool, String> {
    match text.unwrap_or("1").to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" => Ok(true),
        "0" | "false" | "f" | "no" | "n" => Ok(false),
        other => Err(format!("active {:?} is neither 1 nor 0, true nor false", excerpt(other))),
    }
}

fn text(field: &str, text: Option<&str>) -> Result<String, String> {
    let text = text.unwrap_or_default();
    if text.chars().any(char::is_control) || text.chars().count() > LONGEST {
        return Err(format!("{field} is longer than {LONGEST} characters or holds control characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
