import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetJob, type Job } from '../../api';
import { ACCOUNT, aJob, aModel, fakeBackend, refusal, RESULT, type FakeBackend } from '../../test/fake-backend';
import { show } from '../../test/show';
import { JobStage } from './job-stage';
import { ResultView } from './result-view';
import { elapsedSeconds, isOverdue, percentDone, shapeOf } from './stages';

const NOW = Math.floor(Date.now() / 1000);
const RETURNED = {
  held_tokens: 40,
  charged_tokens: 0,
  returned_tokens: 40,
  reason: 'returned_failed',
  ledger_ids: ['job_1:hold', 'job_1:release'],
};
/** The card of a job without a result, once it is there. */
const card = async () => {
  const heading = await screen.findByRole('heading', { level: 2 });
  return heading.parentElement;
};
const again = vi.fn();
const deleted = vi.fn();

beforeEach(() => {
  forgetJob('job_1');
  again.mockReset();
  deleted.mockReset();
});

function open(job: Job | Response): FakeBackend {
  const backend = fakeBackend({
    'GET /v1/jobs/job_1': job,
    'GET /v1/account': ACCOUNT,
    'GET /v1/models': { object: 'list', data: [] },
  });
  show(<JobStage id="job_1" onAgain={again} onDeleted={deleted} />);
  return backend;
}

describe('the stage says where the job is', () => {
  it.each<[string, Partial<Job>, string]>([
    ['queued without a place', {}, 'In the queue'],
    ['queued', { queue_position: 3 }, 'In the queue, place 3'],
    ['queued and next', { queue_position: 1 }, 'In the queue, you are next'],
    ['running', { status: 'running', started_at: NOW }, 'Generating'],
    ['storing', { status: 'storing', started_at: NOW, cancellable: false }, 'Saving the result'],
    ['succeeded', { status: 'succeeded', result: RESULT, completed_at: NOW }, 'Ready'],
  ])('%s', async (_, change, line) => {
    open(aJob(change));
    expect(await screen.findByRole('heading', { level: 2 })).toHaveTextContent(line);
    expect(screen.getByRole('status')).toHaveTextContent(line);
  });

  it('marks the step', async () => {
    open(aJob({ status: 'running', started_at: NOW }));
    const steps = await screen.findByRole('list', { name: 'Progress' });
    const current = within(steps)
      .getAllByRole('listitem')
      .filter((step) => step.getAttribute('aria-current') === 'step');
    expect(current.map((step) => step.textContent)).toEqual(['Generate']);
  });

  it('tells elapsed and usual time', async () => {
    open(aJob({ status: 'running', started_at: NOW - 4, expected_seconds: 60 }));
    expect(await screen.findByText(/^0:0\d, usually about 60 sec/)).toBeInTheDocument();
  });

  it('is honest when it takes longer than usual', async () => {
    open(aJob({ status: 'running', started_at: NOW - 95, expected_seconds: 60 }));
    expect(await screen.findByText(/longer than the usual 60 sec.*all tokens come back/)).toBeInTheDocument();
  });
});

describe('a job without a result', () => {
  it('says what happened, that the tokens are back, and what to do', async () => {
    open(
      aJob({ status: 'failed', completed_at: NOW, receipt: RETURNED, error: { code: 'provider_busy', message: 'x' } }),
    );
    const text = await card();
    expect(text).toHaveTextContent('The provider is too busy.');
    expect(screen.getByRole('status')).toHaveTextContent('All 40 tokens are back on your balance.');
    expect(text).toHaveTextContent('All 40 tokens are back on your balance.');
    expect(text).toHaveTextContent('Try again in a few minutes or choose another model.');
  });

  it('has words for a reason that is newer than the page', async () => {
    open(aJob({ status: 'failed', completed_at: NOW, receipt: RETURNED, error: { code: 'brand_new', message: 'x' } }));
    expect(await card()).toHaveTextContent('There was no result.');
  });

  it('promises nothing that has not happened', async () => {
    const receipt = { ...RETURNED, returned_tokens: 0 };
    open(aJob({ status: 'failed', completed_at: NOW, receipt, error: { code: 'provider_busy', message: 'x' } }));
    expect(await card()).not.toHaveTextContent('back on your balance');
  });

  it('says that a late result would be free', async () => {
    open(aJob({ status: 'failed', completed_at: NOW, receipt: RETURNED, error: { code: 'timed_out', message: 'x' } }));
    expect(await card()).toHaveTextContent('it will appear here for free');
  });

  it.each([
    ['moderation_blocked', "The provider's safety rules refused this prompt or picture.", 'Edit and again', 'prompt'],
    ['model_gone', 'The provider has retired this model.', 'Choose another model', 'model'],
    ['model_off', 'This model was switched off while your job waited.', 'Choose another model', 'model'],
    ['provider_misconfigured', 'not working because of a problem on our side.', 'Choose another model', 'model'],
    ['provider_failed', 'The provider could not finish this one.', 'Again', 'generate'],
  ])('explains %s, and offers what helps', async (code, what, remedy, focus) => {
    open(aJob({ status: 'failed', completed_at: NOW, receipt: RETURNED, error: { code, message: 'x' } }));
    const text = await card();
    expect(text).toHaveTextContent(what);
    expect(text).toHaveTextContent('All 40 tokens are back on your balance.');
    const [first] = screen.getAllByRole('button');
    expect(first).toHaveAccessibleName(remedy);
    await userEvent.click(screen.getByRole('button', { name: remedy }));
    expect(again.mock.calls[0]?.[1]).toBe(focus);
  });

  it('says that it does not exist', async () => {
    open(refusal(404, 'not_found'));
    expect(await screen.findByRole('alert')).toHaveTextContent('This job does not exist, or it was deleted.');
  });
});

describe('a job with a result', () => {
  it('plays the video in the native player', async () => {
    open(aJob({ status: 'succeeded', result: RESULT, completed_at: NOW }));
    const player = await screen.findByLabelText<HTMLVideoElement>('Result for the prompt: A paper boat at dusk');
    expect(player).toHaveAttribute('src', RESULT.content_url);
    expect(player).toHaveAttribute('poster', RESULT.thumbnail_url);
    expect(player.controls).toBe(true);
  });

  it('shows a picture as a picture', async () => {
    open(
      aJob({
        kind: 'image',
        status: 'succeeded',
        result: { ...RESULT, content_url: '/blobs/one.png' },
        completed_at: NOW,
      }),
    );
    expect(await screen.findByRole('img', { name: /A paper boat at dusk/ })).toHaveAttribute('src', '/blobs/one.png');
  });

  it('gets a new address when the old one has run out', async () => {
    const backend = open(aJob({ status: 'succeeded', result: RESULT, completed_at: NOW }));
    const player = await screen.findByLabelText(/^Result for/);
    const fresh = aJob({
      status: 'succeeded',
      result: { ...RESULT, content_url: '/blobs/two.mp4' },
      completed_at: NOW,
    });
    backend.on('GET /v1/jobs/job_1', fresh);
    player.dispatchEvent(new Event('error'));
    await waitFor(() => expect(screen.getByLabelText(/^Result for/)).toHaveAttribute('src', '/blobs/two.mp4'));
  });

  it('goes on playing when a new address comes while the old one works', () => {
    const view = (url: string) => (
      <ResultView kind="video" result={{ ...RESULT, content_url: url }} name="A boat" onExpired={again} />
    );
    const { rerender } = render(view('/blobs/one.mp4'));
    rerender(view('/blobs/two.mp4'));
    expect(screen.getByLabelText('A boat')).toHaveAttribute('src', '/blobs/one.mp4');
  });

  it('says that a late one is a gift', async () => {
    const receipt = { ...RETURNED, reason: 'late_gift' };
    open(aJob({ status: 'succeeded', result: RESULT, completed_at: NOW, receipt }));
    expect(await screen.findByText(/this one is a gift/)).toBeInTheDocument();
    expect(screen.getByRole('region', { name: 'Receipt' })).toHaveTextContent(
      'The result came after the refund and is free.',
    );
  });

  it('has a receipt', async () => {
    const receipt = {
      held_tokens: 40,
      charged_tokens: 40,
      returned_tokens: 0,
      reason: 'charged',
      ledger_ids: ['job_1:hold', 'job_1:capture'],
    };
    open(aJob({ status: 'succeeded', result: RESULT, completed_at: NOW, receipt }));
    const card = await screen.findByRole('region', { name: 'Receipt' });
    expect(
      within(card)
        .getAllByRole('definition')
        .map((line) => line.textContent),
    ).toEqual(['40', '40', '0']);
    expect(card).toHaveTextContent('The result was delivered.');
    expect(within(card).getByRole('link')).toHaveAttribute('href', '/balance#job_1:capture');
  });

  it('is deleted only after a question', async () => {
    const backend = open(aJob({ status: 'succeeded', result: RESULT, completed_at: NOW }));
    backend.on('DELETE /v1/jobs/job_1', { id: 'job_1', object: 'job.deleted', deleted: true });
    await userEvent.click(await screen.findByRole('button', { name: 'Delete' }));
    expect(backend.asked('DELETE /v1/jobs/job_1')).toHaveLength(0);
    await userEvent.click(screen.getByRole('button', { name: 'Delete for good' }));
    await waitFor(() => expect(deleted).toHaveBeenCalled());
  });

  it('fills the form again', async () => {
    open(aJob({ status: 'succeeded', result: RESULT, completed_at: NOW }));
    await userEvent.click(await screen.findByRole('button', { name: 'Again' }));
    await userEvent.click(screen.getByRole('button', { name: 'Edit and again' }));
    expect(again.mock.calls.map(([, focus]: unknown[]) => focus)).toEqual(['generate', 'prompt']);
  });
});

describe('a job with several results', () => {
  const four = [1, 2, 3, 4].map((number) => ({
    ...RESULT,
    content_url: `/blobs/${number}.png`,
    thumbnail_url: `/blobs/${number}.jpg`,
    filename: `reelmint-a-paper-boat-${number}.png`,
  }));
  const settings = { ...aJob().settings, count: 4 };
  const made = (results: Job['results'], receipt: Partial<Job['receipt']> = {}) =>
    aJob({
      kind: 'image',
      status: 'succeeded',
      settings,
      result: results[0] ?? null,
      results,
      completed_at: NOW,
      receipt: { ...RETURNED, reason: 'charged', charged_tokens: 40, returned_tokens: 0, ...receipt },
    });
  const downloads = (): string[] => {
    const names: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function click(this: HTMLAnchorElement) {
      names.push(this.download);
    });
    return names;
  };

  it('shows them all, one of them large', async () => {
    open(made(four));
    const strip = await screen.findByRole('group', { name: 'Results' });
    expect(within(strip).getAllByRole('radio')).toHaveLength(4);
    expect(screen.getByRole('img', { name: /A paper boat/ })).toHaveAttribute('src', '/blobs/1.png');
    await userEvent.click(within(strip).getByRole('radio', { name: 'Result 3 of 4' }));
    expect(screen.getByRole('img', { name: /A paper boat/ })).toHaveAttribute('src', '/blobs/3.png');
  });

  it('saves the one that is shown, or all', async () => {
    const names = downloads();
    open(made(four));
    await userEvent.click(await screen.findByRole('radio', { name: 'Result 2 of 4' }));
    await userEvent.click(screen.getByRole('button', { name: 'Download' }));
    await waitFor(() => expect(names).toEqual(['reelmint-a-paper-boat-2.png']));
    await userEvent.click(screen.getByRole('button', { name: 'All 4' }));
    await waitFor(() => expect(names.slice(1)).toEqual(four.map(({ filename }) => filename)));
  });

  it('says how many came and what was charged when fewer came', async () => {
    open(made(four.slice(0, 3), { charged_tokens: 30, returned_tokens: 10 }));
    const line = '3 of 4 were made. Tokens charged: 30, back on your balance: 10.';
    expect(await screen.findByText(line)).toBeInTheDocument();
    expect(screen.getByRole('status')).toHaveTextContent(`Ready. ${line}`);
    expect(screen.getByRole('region', { name: 'Receipt' })).toHaveTextContent('Only those that came are charged.');
  });

  it('says that another model did it for less', async () => {
    open(made(four, { charged_tokens: 30, returned_tokens: 10 }));
    expect(await screen.findByRole('region', { name: 'Receipt' })).toHaveTextContent(
      'It cost less than was held; the rest is back.',
    );
    expect(screen.queryByText(/were made/)).not.toBeInTheDocument();
  });
});

describe('a job without a prompt', () => {
  it('goes by the name of its model', async () => {
    const backend = open(aJob({ prompt: '', status: 'succeeded', result: RESULT, completed_at: NOW }));
    backend.on('GET /v1/models', { object: 'list', data: [aModel({ name: 'Template: Diving' })] });
    expect(await screen.findByLabelText('Result for the prompt: Template: Diving')).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Edit and again' })).not.toBeInTheDocument();
    expect(screen.queryByRole('heading', { name: 'Prompt' })).not.toBeInTheDocument();
  });
});

describe('cancelling', () => {
  it('says before the click that all tokens come back', async () => {
    const backend = open(aJob());
    const cancelled = aJob({
      status: 'cancelled',
      completed_at: NOW,
      cancellable: false,
      receipt: { ...RETURNED, reason: 'returned_cancelled' },
    });
    backend.on('POST /v1/jobs/job_1/cancel', () => {
      backend.on('GET /v1/jobs/job_1', cancelled);
      return cancelled;
    });
    await userEvent.click(await screen.findByRole('button', { name: 'Cancel, all 40 tokens come back' }));
    await waitFor(() =>
      expect(screen.getByRole('status')).toHaveTextContent('All 40 tokens are back on your balance.'),
    );
  });

  it('is not offered when it is not possible', async () => {
    open(aJob({ status: 'storing', started_at: NOW, cancellable: false }));
    await screen.findByRole('heading', { name: 'Saving the result' });
    expect(screen.queryByRole('button', { name: /^Cancel/ })).not.toBeInTheDocument();
  });
});

describe('watching', () => {
  it('asks again when the server said, goes on over 304, and stops when the job is over', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const answers = [
      Response.json(aJob({ queue_position: 2 }), { headers: { ETag: '"1"', 'Retry-After': '5' } }),
      new Response(null, { status: 304, headers: { ETag: '"1"', 'Retry-After': '9' } }),
      Response.json(aJob({ status: 'succeeded', result: RESULT, completed_at: NOW }), { headers: { ETag: '"2"' } }),
    ];
    const backend = fakeBackend({
      'GET /v1/account': ACCOUNT,
      'GET /v1/models': { object: 'list', data: [] },
      'GET /v1/jobs/job_1': () => answers.shift() ?? new Error('nobody should ask any more'),
    });
    show(<JobStage id="job_1" onAgain={again} onDeleted={deleted} />);
    const reads = () => backend.asked('GET /v1/jobs/job_1').length;
    await screen.findByRole('heading', { name: 'In the queue, place 2' });
    await vi.advanceTimersByTimeAsync(4_000);
    expect(reads()).toBe(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reads()).toBe(2);
    expect(backend.asked('GET /v1/jobs/job_1')[1]?.headers.get('If-None-Match')).toBe('"1"');
    expect(screen.getByRole('heading', { name: 'In the queue, place 2' })).toBeInTheDocument();
    await vi.advanceTimersByTimeAsync(7_000);
    expect(reads()).toBe(2);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await screen.findByRole('heading', { name: 'Ready' })).toBeInTheDocument();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads()).toBe(3);
  });

  it('says that the connection is gone, keeps what it knows, and catches up', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const backend = open(Response.json(aJob({ queue_position: 2 }), { headers: { 'Retry-After': '1' } }));
    await screen.findByRole('heading', { name: 'In the queue, place 2' });
    backend.on('GET /v1/jobs/job_1', refusal(503, 'unavailable'));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await screen.findByText(/The connection is gone/)).toBeInTheDocument();
    expect(screen.getByRole('heading', { name: 'In the queue, place 2' })).toBeInTheDocument();
    backend.on('GET /v1/jobs/job_1', aJob({ status: 'running', started_at: NOW }));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await screen.findByRole('heading', { name: 'Generating' })).toBeInTheDocument();
    expect(screen.queryByText(/The connection is gone/)).not.toBeInTheDocument();
  });
});

describe('figures of a job', () => {
  it('go on by the usual time between answers, never back and never to the end', () => {
    const job = aJob({ status: 'running', started_at: 100, expected_seconds: 10, progress: 30 });
    expect(percentDone(job, 1)).toBe(30);
    expect(percentDone(job, 5)).toBe(50);
    expect(percentDone(job, 500)).toBe(95);
  });

  it('count from the start of the work, and are never negative on a wrong clock', () => {
    const job = aJob({ status: 'running', created_at: 50, started_at: 100 });
    expect(elapsedSeconds(job, 107)).toBe(7);
    expect(elapsedSeconds(job, 90)).toBe(0);
    expect(isOverdue(job, 11)).toBe(false);
    expect(isOverdue(job, 13)).toBe(true);
  });

  it('have a shape even where a job has none', () => {
    expect(shapeOf('16:9')).toBeCloseTo(1.78, 2);
    expect(shapeOf(null)).toBe(1);
    expect(shapeOf('odd')).toBe(1);
  });
});
