-- The tables that Pierhead's default mapping reads, for MySQL, MariaDB and PostgreSQL.
CREATE TABLE people (
    username      VARCHAR(63)  NOT NULL PRIMARY KEY, -- the name to log in with
    name          VARCHAR(200),                      -- what the person is called
    role          VARCHAR(20)  NOT NULL DEFAULT 'student', -- student, assistant or teacher
    password_hash VARCHAR(255),                      -- bcrypt, Argon2 or PBKDF2, or NULL
    active        SMALLINT     NOT NULL DEFAULT 1    -- 0: the person may not log in
);
CREATE TABLE courses (
    id    VARCHAR(63)  NOT NULL PRIMARY KEY,
    title VARCHAR(200),
    term  VARCHAR(64),
    zone  VARCHAR(64)                                -- such as Asia/Shanghai
);
CREATE TABLE enrolments (
    course_id  VARCHAR(63) NOT NULL REFERENCES courses (id),
    username   VARCHAR(63) NOT NULL REFERENCES people (username),
    role       VARCHAR(20) NOT NULL DEFAULT 'student', -- in this course: student, assistant or teacher
    group_name VARCHAR(64),
    PRIMARY KEY (course_id, username)
);
