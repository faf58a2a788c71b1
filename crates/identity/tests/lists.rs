//! Lists as schools write them: texts in, a roster or a reason out.
#![cfg(test)]

use pierhead_identity::{
    CsvTexts, Mapping, Roster, RosterSource, SchoolHash, SchoolRole, SourceError, Table, fingerprint, is_zone,
    local_moment,
};
use pierhead_model::Zone;

/// `hashlib.pbkdf2_hmac(…, b"correct horse", salt, 1000)` in the forms of Django, passlib and the PHC.
const HASHES: [&str; 5] = [
    "pbkdf2_sha256$1000$salt+sea$xuWngP/F/BotHpsoZv/2+T1zH4d0ul0gN+EWQRIJ+2g=",
    "$pbkdf2-sha256$1000$c2VhIHNhbHQ$7Hm3otwz2XU84Ps8QJXvaZuqGHt7aeOUinpAHxmL/PU",
    "$pbkdf2-sha256$i=1000,l=16$c2VhIHNhbHQ$7Hm3otwz2XU84Ps8QJXvaQ",
    "$pbkdf2-sha512$1000$c2VhIHNhbHQ$vxuN9MXbfx1Ygqz3G/I1R7WY7kgJUjA.9/kp5kfB95CGBDGMszhm6HoX6lBtiTEooitgV3J7EBaCl0PKrRAUVA",
    "$pbkdf2$1000$c2VhIHNhbHQ$DxlMzv28PImzd3GBAdhukNZYXgw",
];

fn read(people: &str, courses: &str, enrolments: &str) -> Result<Roster, SourceError> {
    CsvTexts { people: people.to_owned(), courses: courses.to_owned(), enrolments: enrolments.to_owned() }.read()
}

fn people(text: &str) -> Vec<(String, String)> {
    let roster = read(text, "", "").unwrap_or_else(|refused| panic!("{text:?}: {refused}"));
    assert!(roster.problems.is_empty(), "{text:?}: {:?}", roster.problems);
    roster.people.into_iter().map(|person| (person.username.to_string(), person.full_name)).collect()
}

fn problems(roster: &Roster) -> Vec<String> {
    roster.problems.iter().map(|one| format!("{} {}: {}", one.table, one.row, one.what)).collect()
}

#[test]
fn a_list_is_the_same_however_a_program_writes_it() {
    let expected = [("li".to_owned(), "Li, Lei".to_owned()), ("wu".to_owned(), String::new())];
    for (text, written) in [
        ("username,name\nli,\"Li, Lei\"\nwu,\n", "plainly"),
        ("username;name\nli;Li, Lei\nwu;\n", "with semicolons"),
        ("username,name\r\nli,\"Li, Lei\"\r\nwu,", "without an end of the last line"),
        ("\"USERNAME\",\" Name \"\n\"li\",\"Li, Lei\"\n\"wu\",\"\"\n", "with quotes around all"),
        (" username ; name \n  li ; Li, Lei  \nwu;  \n", "with spaces"),
        ("\n\nusername;name\n\nli;Li, Lei\n  \nwu;\n", "with empty lines, before the columns too"),
        ("username;name\rli;Li, Lei\rwu;\r", "with the ends of lines of old"),
        ("\u{feff}name,username\n\"Li, Lei\",li\n,wu\n", "with its mark, in another order"),
    ] {
        assert_eq!(people(text), expected, "{written}");
    }
    let commas = "username;name\rli;a, b, c, d\rwu;e, f\r";
    assert_eq!(people(commas)[0].1, "a, b, c, d", "only the columns' names say what separates");
}

#[test]
fn quotes_in_the_middle_of_a_name_are_part_of_it() {
    assert_eq!(people("username,name\nli,Li \"Big\" Lei\n")[0].1, "Li \"Big\" Lei");
    assert_eq!(people("username,name\nli,\"\"\"\"\n")[0].1, "\"", "two in quotes mean one");
    assert_eq!(people("username,name\nli,\"a;b\"\n")[0].1, "a;b");
}

#[test]
fn a_text_that_is_no_list_is_refused_where_it_is_wrong() {
    for (people, courses, enrolments, told) in [
        ("", "", "", "people.csv, line 1: is empty"),
        ("\n \n", "", "", "people.csv, line 1: is empty"),
        ("username\nli\n", "\u{feff}", "", "courses.csv, line 1: is empty"),
        ("name\nLi\n", "", "", "the people have no column username"),
        ("username,\nli,\n", "", "", "the people have the unknown column ; they"),
        ("username,Username\nli,li\n", "", "", "the people have the column Username twice"),
        ("username\nli\n", "course,id\ncs,1\n", "", "the courses have the unknown column id"),
        ("username\nli\n", "course\ncs\n", "username\nli\n", "the enrolments have no column course"),
        ("username\nli\n", "course\ncs,Databases\n", "", "courses.csv, line 2: has 2 fields, where there are 1"),
        ("username\nli\n", "course\ncs\n", "course,username\n\ncs,\"li", "enrolments.csv, line 3: has a quote"),
    ] {
        let refused = read(people, courses, enrolments).unwrap_err().to_string();
        assert!(refused.starts_with(told), "{people:?} {courses:?} {enrolments:?}: {refused}");
    }
}

#[test]
fn roles_and_yes_and_no_are_read_in_the_words_of_schools() {
    let rows = [
        ("a", "STUDENT", "yes", Some((SchoolRole::Student, true))),
        ("b", "", "", Some((SchoolRole::Student, true))),
        ("c", "Assistant", "F", Some((SchoolRole::Assistant, false))),
        ("d", " teacher ", "0", Some((SchoolRole::Teacher, false))),
        ("e", "teacher", "True", Some((SchoolRole::Teacher, true))),
        ("f", "admin", "1", None),
        ("g", "teachers", "1", None),
        ("h", "student", "2", None),
        ("i", "student", "oui", None),
    ];
    let text = rows.iter().fold("username,role,active\n".to_owned(), |text, (who, role, active, _)| {
        format!("{text}{who},{role},{active}\n")
    });
    let roster = read(&text, "", "").unwrap();
    for (who, role, active, expected) in rows {
        let found = roster.people.iter().find(|person| person.username.as_str() == who);
        assert_eq!(found.map(|person| (person.role, person.active)), expected, "{who}: {role:?} {active:?}");
    }
    assert_eq!((roster.unusable, roster.rows), (4, 9));
    assert!(problems(&roster)[0].contains("role \"admin\" is not student, assistant or teacher"), "no list makes one");
}

#[test]
fn texts_of_a_list_are_bounded_and_hold_no_orders_for_terminals() {
    let long = |length: usize| "名".repeat(length);
    let people = format!("username,name\nli,{}\nwu,{}\nhan,a\u{1b}[2J\n", long(200), long(201));
    let courses = format!("course,title,term,zone\na,{},{},\nb,x,,Local\nc,\u{7},,\n", long(200), long(100));
    let roster = read(&people, &courses, "").unwrap();
    assert_eq!((roster.people.len(), roster.courses.len(), roster.unusable), (1, 1, 4));
    assert_eq!(roster.courses[0].term, long(64), "of a term the beginning is kept");
    let told = problems(&roster);
    assert!(told[0].starts_with("people 2: name is longer than 200 characters"), "{told:?}");
    assert!(told[2].starts_with("courses 2: zone \"Local\" is no time zone"), "{told:?}");
    assert!(told.iter().all(|line| !line.contains(char::is_control) && line.len() < 200), "{told:?}");
    let hostile = read(&format!("username\n\u{1b}[2J{}\n", "x".repeat(5_000)), "", "").unwrap();
    assert!(!problems(&hostile)[0].contains('\u{1b}') && problems(&hostile)[0].len() < 300);
}

#[test]
fn a_hash_that_is_unknown_is_told_without_being_repeated() {
    let people = "username,password_hash\nli,5f4dcc3b5aa765d61d8327deb882cf99\nwu,plain text\n";
    let roster = read(people, "", "").unwrap();
    assert_eq!((roster.people.len(), roster.unusable), (0, 2), "nobody comes in without the password they know");
    let told = problems(&roster).join("\n");
    assert!(told.contains("password_hash of li is of no known form") && told.contains("of wu"), "{told}");
    assert!(!told.contains("5f4dcc") && !told.contains("plain"), "{told}");
}

#[test]
fn of_a_course_that_is_named_twice_the_first_row_counts() {
    let courses = "course,title\ncs,Databases\ncs,Databases\ncs,Data\nos,\n";
    let roster = read("username\nli\n", courses, "course,username,group\ncs,li,A\ncs,li,B\nos,li,A\n").unwrap();
    let titles: Vec<&str> = roster.courses.iter().map(|course| course.title.as_str()).collect();
    assert_eq!((titles, roster.unusable), (vec!["Databases", "os"], 1));
    assert!(problems(&roster)[0].starts_with("courses 3: says something else of course cs"));
    let groups: Vec<_> = roster.enrolments.iter().map(|one| (one.course, one.group)).collect();
    assert_eq!(groups, [(0, Some(0)), (1, Some(0))], "once in each, and one name of a group is there once");
    assert_eq!(roster.groups, ["A", "B"]);
}

#[test]
fn a_group_that_is_none_leaves_out_its_row_only() {
    let long = "g".repeat(65);
    let enrolments = format!("course,username,group\ncs,li,{long}\ncs,wu,{}\ncs,han,\n", &long[1..]);
    let roster = read("username\nli\nwu\nhan\n", "course\ncs\n", &enrolments).unwrap();
    let enrolled: Vec<u32> = roster.enrolments.iter().map(|one| one.person).collect();
    assert_eq!((enrolled, roster.groups.len()), (vec![1, 2], 1));
    assert!(problems(&roster)[0].starts_with("enrolments 1: "), "{:?}", roster.problems);
    let silent = read("username\nli\n", "course\ncs\n", "course,username\ncs,li\n").unwrap();
    assert!(roster.has_groups && !silent.has_groups);
}

#[tokio::test]
async fn a_file_that_is_no_text_is_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("people.csv", b"username,name\nli,Li\nwu,\xce\xe2\n".as_slice()),
        ("courses.csv", b"course\n"),
        ("enrolments.csv", b"course,username\n"),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let source = RosterSource::Folder(dir.path().to_owned());
    let refused = source.read().await.unwrap_err().to_string();
    assert!(refused.starts_with("people.csv, line 3: is not UTF-8"), "as GBK is: {refused}");
    std::fs::write(dir.path().join("people.csv"), "username,name\nwu,吴\n").unwrap();
    let roster = source.read().await.unwrap();
    assert_eq!(roster.people[0].full_name, "吴");
}

#[test]
fn a_mapping_has_one_reading_query_for_each_table() {
    let mapping = |people: &str| {
        Mapping::parse(&format!(
            "[people]\nquery = '''{people}'''\n[courses]\nquery = 'TABLE c'\n[enrolments]\nquery = 'VALUES (1, 2)'\n"
        ))
    };
    for (good, kept) in [
        ("SELECT 1", "SELECT 1"),
        (" \n select\n1 ;; \n", "select\n1"),
        ("With p AS (SELECT 1) SELECT * FROM p;", "With p AS (SELECT 1) SELECT * FROM p"),
        ("SELECT';' AS name", "SELECT';' AS name"),
    ] {
        let read = mapping(good).unwrap_or_else(|refused| panic!("{good:?}: {refused}"));
        assert_eq!(read.query(Table::People), kept);
        assert_eq!((read.query(Table::Courses), read.query(Table::Enrolments)), ("TABLE c", "VALUES (1, 2)"));
    }
    for bad in ["", ";", "INSERT INTO p VALUES (1)", "update p", "selects 1", "(SELECT 1)", "-- all\nSELECT 1"] {
        let refused = mapping(bad).unwrap_err().to_string();
        assert!(refused.ends_with("the query of the people must be one SELECT"), "{bad:?}: {refused}");
    }
    let longest = |length: usize| format!("SELECT {}", "1".repeat(length - "SELECT ".len()));
    assert!(mapping(&longest(64 * 1024)).is_ok());
    assert!(mapping(&longest(64 * 1024 + 1)).is_err());
}

#[test]
fn hashes_that_python_wrote_are_checked() {
    for text in HASHES {
        let hash = SchoolHash::parse(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
        assert!(hash.is_of("correct horse") && !hash.is_argon2(), "{text}");
        for wrong in ["", "correct horse ", "Correct horse", "correct hors"] {
            assert!(!hash.is_of(wrong), "{text}: {wrong:?}");
        }
    }
    let prints: std::collections::HashSet<String> =
        HASHES.iter().map(|text| fingerprint(&SchoolHash::parse(text).unwrap())).collect();
    assert_eq!(prints.len(), HASHES.len());
}

#[test]
fn what_a_hash_may_cost_is_bounded_to_the_last_round() {
    let argon = |costs: &str| format!("$argon2id$v=19${costs}$c2FsdHNhbHQ$aGFzaGhhc2g");
    let bcrypt = |cost: &str| format!("$2b${cost}${}", "C".repeat(53));
    let rounds = |rounds: &str| format!("pbkdf2_sha256${rounds}$salt$aGFzaGhhc2hoYXNoaGFzaGhhc2g=");
    for (good, bad) in [
        (argon("m=262144,t=8,p=1"), argon("m=262144,t=9,p=1")),
        (argon("m=262144,t=1,p=16"), argon("m=262145,t=1,p=16")),
        (argon("p=16,t=1,m=8"), argon("p=17,t=1,m=8")),
        (argon("m=8,t=1,p=1"), argon("m=8,t=0,p=1")),
        (argon("m=9,t=1,p=1"), argon("m=8,t=1,p=0")),
        (argon("m=10,t=1,p=1"), argon("m=8,t=1,p=1,x=1")),
        (argon("m=11,t=1,p=1"), argon("m=8,t=1,p=1$more")),
        (argon("m=12,t=1,p=1"), argon("m=4294967296,t=1,p=1")),
        (bcrypt("04"), bcrypt("03")),
        (bcrypt("15"), bcrypt("16")),
        (bcrypt("10"), bcrypt("xx")),
        (rounds("5000000"), rounds("5000001")),
        (rounds("1"), rounds("0")),
        (rounds("2"), rounds("-2")),
        (rounds("3"), rounds("4294967296")),
    ] {
        assert!(SchoolHash::parse(&good).is_ok(), "{good}");
        let refused = SchoolHash::parse(&bad).unwrap_err();
        assert!(!refused.contains("salt") && refused.starts_with("is "), "{bad}: {refused}");
    }
}

#[test]
fn a_moment_is_read_with_or_without_an_offset_and_never_before_1970() {
    let zone = |name: &str| Zone::parse(name).unwrap();
    let at = |text: &str, name: &str| local_moment(text, &zone(name)).map(|moment| moment.0);
    for (text, name, expected) in [
        ("1970-01-01T00:00:00Z", "Asia/Shanghai", Some(0)),
        ("1970-01-01T08:00", "Asia/Shanghai", Some(0)),
        ("1970-01-01T07:59", "Asia/Shanghai", None),
        ("1970-01-01T00:00:01.5Z", "UTC", Some(1_500)),
        ("2024-02-29T12:00", "UTC", Some(1_709_208_000_000)),
        ("2023-02-29T12:00", "UTC", None),
        ("2024-02-29T24:01", "UTC", None),
        ("2024-02-29T13:30+01:30", "Asia/Shanghai", Some(1_709_208_000_000)),
        ("2024-02-29T17:45", "Asia/Kathmandu", Some(1_709_208_000_000)),
        ("1709208000000", "UTC", None),
        ("2024-02-29T12:00 UTC", "UTC", None),
    ] {
        assert_eq!(at(text, name), expected, "{text} in {name}");
    }
    assert!(is_zone(&Zone::default()) && is_zone(&zone("Asia/Kathmandu")) && !is_zone(&zone("Nepal")));
}
