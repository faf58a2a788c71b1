//! Lists in real databases: MariaDB and PostgreSQL, each started for one test, on a socket of its own.
#![cfg(test)]

mod server;

use pierhead_identity::{DatabaseAddress, Mapping, Present, Roster, RosterSource, SourceError, diff};
use pierhead_model::Username;
use server::{MariaDb, Postgres};
use std::time::Duration;

/// The rows of a small school, for the default mapping.
const ROWS: [&str; 3] = [
    "INSERT INTO people (username, name, role, password_hash, active) VALUES \
     ('wang', '王老师', 'teacher', NULL, 1), ('li', 'Li Lei', 'student', \
     '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 1), ('old', NULL, 'student', NULL, 0)",
    "INSERT INTO courses (id, title, term, zone) VALUES ('cs-101', 'Databases', '2026', 'Asia/Shanghai')",
    "INSERT INTO enrolments (course_id, username, role, group_name) VALUES \
     ('cs-101', 'wang', 'teacher', NULL), ('cs-101', 'li', 'student', 'A')",
];

/// What a school of its own kind has: numbers for names, words of its own for roles.
const OWN_TABLES: [&str; 2] = [
    "CREATE TABLE xs (xh INT, xm VARCHAR(40), js SMALLINT, zt BOOLEAN)",
    "INSERT INTO xs VALUES (20260001, 'Li', 1, TRUE), (20260002, 'Wu', 2, FALSE)",
];
const OWN_MAPPING: &str = r#"
[people]
query = "SELECT xh AS username, xm AS name, CASE js WHEN 1 THEN 'student' ELSE 'teacher' END AS role, zt AS active FROM xs"
[courses]
query = "SELECT id AS course FROM courses"
[enrolments]
query = "SELECT id AS course, (SELECT MIN(xh) FROM xs) AS username FROM courses"
"#;

async fn read(address: &DatabaseAddress, mapping: &Mapping) -> Result<Roster, SourceError> {
    RosterSource::Database(address.clone(), mapping.clone()).read().await
}

async fn refused(address: &DatabaseAddress, from: &str, to: &str) -> String {
    let mapping = OWN_MAPPING.replace(from, to);
    assert_ne!(mapping, OWN_MAPPING);
    match Mapping::parse(&mapping) {
        Ok(mapping) => read(address, &mapping).await.unwrap_err().to_string(),
        Err(refused) => refused.to_string(),
    }
}

fn names(roster: &Roster) -> Vec<&str> {
    let mut names: Vec<&str> = roster.people.iter().map(|person| person.username.as_str()).collect();
    // In which order rows come is the database's to say.
    names.sort_unstable();
    names
}

/// What holds for every kind of database.
async fn keeps_the_contract(address: &DatabaseAddress) {
    let roster = read(address, &Mapping::default()).await.unwrap();
    assert!(roster.problems.is_empty(), "{:?}", roster.problems);
    assert_eq!(names(&roster), ["li", "old", "wang"]);
    let person = |name: &str| roster.people.iter().find(|person| person.username.as_str() == name).unwrap();
    assert_eq!((person("wang").full_name.as_str(), person("old").active), ("王老师", false));
    assert!(person("li").password.as_ref().unwrap().is_of("U*U"));
    assert_eq!((roster.courses[0].title.as_str(), roster.enrolments.len(), roster.has_groups), ("Databases", 2, true));

    let own = read(address, &Mapping::parse(OWN_MAPPING).unwrap()).await.unwrap();
    assert!(own.problems.is_empty(), "{:?}", own.problems);
    assert_eq!((names(&own), own.enrolments.len()), (vec!["20260001", "20260002"], 1));
    assert_eq!(own.people.iter().filter(|person| person.active).count(), 1);

    for (from, to, told) in [
        ("xm AS name", "xm AS called", "the people have the unknown column called"),
        ("id AS course FROM", "id AS title FROM", "the courses have no column course"),
        ("FROM xs\"", "FROM nowhere\"", "the query of the people failed"),
        ("FROM xs\"", "FROM xs; DROP TABLE xs\"", "the query of the people failed"),
        ("SELECT xh AS username", "DELETE FROM xs WHERE", "the query of the people must be one SELECT"),
    ] {
        let refused = refused(address, from, to).await;
        assert!(refused.contains(told), "{to}: {refused}");
    }
    assert_eq!(read(address, &Mapping::parse(OWN_MAPPING).unwrap()).await.unwrap().people.len(), 2, "all is there");
}

#[tokio::test]
async fn mariadb_is_read_and_only_read() {
    let server = MariaDb::start().await;
    let address = server.address("pier", "open sesame");
    for statement in Mapping::SCHEMA.split(';').filter(|text| !text.trim().is_empty()).chain(ROWS).chain(OWN_TABLES) {
        server.run(statement).await;
    }
    keeps_the_contract(&address).await;
    let original = format!("root:root@unix({})/school", server.socket().display());
    let original = DatabaseAddress::parse_original(&original).unwrap();
    assert_eq!(names(&read(&original, &Mapping::default()).await.unwrap()), ["li", "old", "wang"]);

    let wrong = server.address("pier", "open barley");
    let refused = read(&wrong, &Mapping::default()).await.unwrap_err().to_string();
    assert!(refused.starts_with("the database can't be reached: ") && !refused.contains("barley"), "{refused}");
    // Who asks may write, and yet nothing is written: the transaction only reads.
    server.run("CREATE FUNCTION school.spoil() RETURNS INT BEGIN DELETE FROM xs; RETURN 1; END").await;
    let spoilt = OWN_MAPPING.replace("zt AS active FROM xs", "spoil() AS active FROM xs");
    let refused = read(&original, &Mapping::parse(&spoilt).unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("READ ONLY"), "{refused}");
    keeps_the_contract(&address).await;
}

#[tokio::test]
async fn a_database_that_goes_in_the_middle_gives_no_list() {
    let mut server = MariaDb::start().await;
    let address = server.address("pier", "open sesame");
    server.run("CREATE TABLE slow (username VARCHAR(20))").await;
    for at in 0..200 {
        server.run(&format!("INSERT INTO slow VALUES ('s{at}')")).await;
    }
    let mapping = r#"
[people]
query = "SELECT username FROM slow WHERE SLEEP(0.2) = 0"
[courses]
query = "SELECT 'cs' AS course"
[enrolments]
query = "SELECT 'cs' AS course, username FROM slow"
"#;
    let mapping = Mapping::parse(mapping).unwrap();
    let reading = tokio::spawn(async move { read(&address, &mapping).await });
    server.is_asked("SLEEP").await;
    server.kill().await;
    let ended = tokio::time::timeout(Duration::from_secs(60), reading).await.expect("it ends with the database");
    let refused = ended.unwrap().unwrap_err();
    assert!(matches!(refused, SourceError::Query { .. }), "{refused}");
    let gone = server.address("pier", "open sesame");
    let refused = read(&gone, &Mapping::default()).await.unwrap_err();
    assert!(matches!(refused, SourceError::Connect(_)), "{refused}");
}

#[tokio::test]
async fn fifty_thousand_people_are_read_and_five_thousand_changes_found() {
    let server = MariaDb::start().await;
    for statement in Mapping::SCHEMA.split(';').filter(|text| !text.trim().is_empty()) {
        server.run(statement).await;
    }
    for from in (0..50_000).step_by(5_000) {
        let rows = |row: fn(u32) -> String| (from..from + 5_000).map(row).collect::<Vec<_>>().join(",");
        let people = rows(|at| format!("('s{at}','Student {at}','student',NULL,1)"));
        server.run(&format!("INSERT INTO people VALUES {people}")).await;
        if from < 20_000 {
            server.run(&format!("INSERT INTO courses (id) VALUES ('c{from}')")).await;
        }
        let enrolled = (from..from + 5_000).map(|at| format!("('c{}','s{at}','student',NULL)", at % 4 * 5_000));
        let enrolled = enrolled.collect::<Vec<_>>().join(",");
        if (15_000..30_000).contains(&from) {
            server.run(&format!("INSERT INTO enrolments VALUES {enrolled}")).await;
        }
    }
    let address = server.address("pier", "open sesame");
    let began = std::time::Instant::now();
    let roster = read(&address, &Mapping::default()).await.unwrap();
    let read_in = began.elapsed();
    assert_eq!((roster.people.len(), roster.enrolments.len(), roster.unusable), (50_000, 15_000, 0));
    let mut present = Present::default();
    for change in diff(&present, &roster).people {
        let fresh = (change.username.to_string(), String::new());
        let account = change.carried_out(None, fresh, pierhead_model::Timestamp(1)).unwrap();
        present.accounts.insert(change.username, account);
    }
    server.run("UPDATE people SET name = 'Another' WHERE username LIKE 's1____' AND username < 's12500'").await;
    server.run("DELETE FROM enrolments WHERE username LIKE 's49___'").await;
    server.run("DELETE FROM people WHERE username LIKE 's49___'").await;
    let began = std::time::Instant::now();
    let later = read(&address, &Mapping::default()).await.unwrap();
    let changes = diff(&present, &later);
    println!("50,000 people read in {read_in:?}; read again and compared in {:?}", began.elapsed());
    let totals = changes.totals();
    assert_eq!((totals.added, totals.suspended, totals.changed), (0, 1_000, 2_500));
    assert!(changes.people.iter().any(|change| change.username == Username::parse("s49000").unwrap()));
}

#[tokio::test]
async fn postgresql_is_read_and_only_read() {
    let server = Postgres::start().await;
    let address = server.address();
    for statement in Mapping::SCHEMA.split(';').filter(|text| !text.trim().is_empty()).chain(ROWS).chain(OWN_TABLES) {
        server.run(statement).await;
    }
    keeps_the_contract(&address).await;
    let spoil = "CREATE FUNCTION spoil() RETURNS BOOLEAN LANGUAGE SQL AS 'DELETE FROM xs; SELECT TRUE'";
    server.run(spoil).await;
    let spoilt = OWN_MAPPING.replace("zt AS active FROM xs", "spoil() AS active FROM xs");
    let refused = read(&address, &Mapping::parse(&spoilt).unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("read-only transaction"), "{refused}");
    server.run("CREATE TYPE rank AS ENUM ('student')").await;
    let typed = OWN_MAPPING.replace("xm AS name", "'student'::rank AS name");
    let refused = read(&address, &Mapping::parse(&typed).unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("column name is of the type") && refused.contains("CAST"), "{refused}");
}
