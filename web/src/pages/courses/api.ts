/** The routes of courses and of the work in them, and what they answer. */

import { ApiError, address, request, send, type Schemas } from '../../lib/api';
import type { Event, Source } from '../../lib/live.svelte';
import type { State } from './work';

/** Words that the description of the API leaves open are the ones that it names. */
export type Course = Omit<Schemas['CourseView'], 'right'> & { right: 'student' | 'assistant' | 'teacher' };
export type Session = Schemas['CourseSessionEntry'];
export type Student = Schemas['StudentView'];
export type Submission = Omit<Schemas['SubmissionView'], 'state'> & { state: State };
export type Work = Omit<Schemas['WorkView'], 'submission' | 'late'> & {
  late: 'mark' | 'refuse';
  submission?: Submission | null;
};
export type Result = Omit<Schemas['ResultView'], 'submission'> & { submission?: Submission | null };
export type Usage = Schemas['UsageView'];
export type Consent = Schemas['ConsentView'];
export type Recording = Schemas['RecordingView'];
export type DeletedRecording = Schemas['DeletedRecordingView'];
export type Row = Omit<Schemas['GradebookRowView'], 'results'> & { results: readonly Result[] };

const ABOUT_COURSES = /course|enrol|roster/;
const ABOUT_WORK = /work|submi|results|course|enrol|attempt/;
const ABOUT_RECORDINGS = /recording|course/;
const wakeOnCourses = (event: Event) => ABOUT_COURSES.test(event.type);
const wakeOnSaves = (event: Event) => ABOUT_COURSES.test(event.type) || event.type.includes('save');
const wakeOnRecordings = (event: Event) => ABOUT_RECORDINGS.test(event.type);
const wakeOnWork = (event: Event) => ABOUT_WORK.test(event.type);

export const everyCourse: Source<Course[]> = {
  key: '/api/courses',
  load: (signal) => request('get', '/api/courses', { signal }),
  wakeOn: wakeOnCourses,
};

function of<T>(id: string, what: string, wakeOn: (event: Event) => boolean): Source<T> {
  const path = `/api/courses/{id}${what}`;
  return { key: `${path} ${id}`, load: (signal) => request('get', path, { path: { id }, signal }), wakeOn };
}

export const oneCourse = (id: string): Source<Course> => of(id, '', wakeOnCourses);
export const studentsOf = (id: string): Source<Student[]> => of(id, '/students', wakeOnCourses);
export const workOf = (id: string): Source<Work[]> => of(id, '/work', wakeOnWork);
export const resultsOf = (id: string): Source<Result[]> => of(id, '/results', wakeOnWork);
export const submissionsOf = (id: string): Source<Submission[]> => of(id, '/submissions', wakeOnWork);
export const usageOf = (id: string): Source<Usage[]> => of(id, '/usage', wakeOnSaves);
export const consentTo = (id: string): Source<Consent> => of(id, '/consent', wakeOnRecordings);
export const recordingsOf = (id: string): Source<Recording[]> => of(id, '/recordings', wakeOnRecordings);
export const deletedOf = (id: string): Source<DeletedRecording[]> => of(id, '/deleted-recordings', wakeOnRecordings);
export const gradebookOf = (id: string): Source<Row[]> => of(id, '/grades', wakeOnWork);

export function addCourse(body: Schemas['CourseRequest']): Promise<Course> {
  return request('post', '/api/courses', { body });
}

export function changeCourse(id: string, body: Schemas['CourseUpdate']): Promise<Course> {
  return request('put', '/api/courses/{id}', { path: { id }, body });
}

/** How often a change is tried that others came before. */
const MOST_TRIES = 10;

/** Changes a course as it is now: what others change in the same moment stays. */
export async function editCourse(id: string, edit: (course: Course) => Schemas['CourseUpdate']): Promise<void> {
  const path = { id };
  for (let tries = 1; ; tries += 1) {
    const course: Course = await request('get', '/api/courses/{id}', { path });
    const headers = { 'if-match': `"${course.revision}"` };
    try {
      await request('put', '/api/courses/{id}', { path, headers, body: edit(course) });
      return;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 412) || tries === MOST_TRIES) throw error;
    }
  }
}

export function enrol(id: string, usernames: readonly string[]): Promise<void> {
  const body = { students: usernames.map((username) => ({ username })) };
  return request('post', '/api/courses/{id}/students', { path: { id }, body });
}

export function changeWork(id: string, lab: string, body: Schemas['WorkUpdate']): Promise<Work> {
  return request('put', '/api/courses/{id}/work/{lab}', { path: { id, lab }, body });
}

/** Gives somebody more time, or (with an empty moment) takes that back. */
export function extend(id: string, lab: string, username: string, due: string): Promise<unknown> {
  const path = { id, lab, username };
  const at = '/api/courses/{id}/work/{lab}/extensions/{username}';
  return due === '' ? request('delete', at, { path }) : request('put', at, { path, body: { due } });
}

/** The key belongs to what was asked: a repetition of it hands in nothing more. */
export function submit(id: string, lab: string, key: string): Promise<Submission> {
  const headers = { 'idempotency-key': key };
  return request('post', '/api/courses/{id}/work/{lab}/submissions', { path: { id, lab }, headers });
}

export function retry(of: Submission): Promise<Submission> {
  return request('post', '/api/courses/{id}/submissions/{lab}/{username}/retry', { path: at(of) });
}

export function openCopy(of: Submission): Promise<Schemas['WorkspaceView']> {
  return request('post', '/api/courses/{id}/submissions/{lab}/{username}/workspace', { path: at(of) });
}

export function grade(id: string, lab: string, username: string, body: Schemas['GradeUpdate']): Promise<Result> {
  return request('put', '/api/courses/{id}/grades/{lab}/{username}', { path: { id, lab, username }, body });
}

/** Says whether recordings of one's own terminals may be kept; with `false` those that are kept are deleted. */
export function consent(id: string, recordings: boolean): Promise<Consent> {
  return request('put', '/api/courses/{id}/consent', { path: { id }, body: { recordings } });
}

export function deleteRecording({ course, id }: Recording): Promise<void> {
  return request('delete', '/api/courses/{id}/recordings/{recording}', { path: { id: course, recording: id } });
}

/** Where a recording is to be had. */
export function fileOf({ course, id }: Recording): string {
  return address(`/api/courses/${encodeURIComponent(course)}/recordings/${encodeURIComponent(id)}`).href;
}

export function loadRecording({ course, id }: Recording, signal: AbortSignal): Promise<Response> {
  return send('get', '/api/courses/{id}/recordings/{recording}', { path: { id: course, recording: id }, signal });
}

function at({ course, lab, username }: Submission) {
  return { id: course, lab, username };
}
