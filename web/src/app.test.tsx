import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { App } from './app';
import { forgetJobLists } from './api';
import { changeLanguage } from './i18n';
import { closeSession, currentToken } from './session';
import { ACCOUNT, aJob, aModel, aQuote, fakeBackend, refusal, RESULT, type FakeBackend } from './test/fake-backend';
import { show } from './test/show';

const JOB = aJob({ status: 'succeeded', result: RESULT, completed_at: 1 });

beforeEach(() => forgetJobLists());

function backendWith(jobs = [JOB]): FakeBackend {
  return fakeBackend({
    'GET /healthz': { status: 'ok' },
    'GET /v1/account': ACCOUNT,
    'GET /v1/models': { object: 'list', data: [aModel()] },
    'GET /v1/jobs': { object: 'list', data: jobs, first_id: null, last_id: null, has_more: false },
    'GET /v1/jobs/job_1': JOB,
    'POST /v1/quotes': aQuote(40),
    'POST /v1/jobs': Response.json(aJob({ id: 'job_2' }), { status: 202 }),
    'GET /v1/jobs/job_2': aJob({ id: 'job_2' }),
  });
}

describe('somebody who is not signed in', () => {
  it('signs in with an e-mail and is in the studio', async () => {
    const backend = backendWith([]);
    backend.on('POST /v1/auth/local', { token: 'a-new-token', account: ACCOUNT });
    show(<App />);
    closeSession();
    await userEvent.type(await screen.findByRole('textbox', { name: 'E-mail' }), 'maker@example.com{Enter}');
    expect(await screen.findByRole('form', { name: 'New generation' })).toBeInTheDocument();
    expect(backend.asked('POST /v1/auth/local')[0]?.body).toEqual({ email: 'maker@example.com', language: 'en' });
    expect(currentToken()).toBe('a-new-token');
  });

  it('is told what is wrong with an address before anything is sent', async () => {
    const backend = backendWith([]);
    show(<App />);
    closeSession();
    await userEvent.type(await screen.findByRole('textbox', { name: 'E-mail' }), 'nobody{Enter}');
    expect(screen.getByText('Enter an e-mail address like name@example.com.')).toBeInTheDocument();
    expect(backend.asked('POST /v1/auth/local')).toHaveLength(0);
  });

  it('is told when the session has ended, and comes back to the same page', async () => {
    const backend = backendWith();
    backend.on('GET /v1/account', refusal(401, 'session_expired'));
    show(<App />, '/jobs/job_1');
    expect(await screen.findByText(/Your session has ended/)).toBeInTheDocument();
    backend.on('GET /v1/account', ACCOUNT);
    backend.on('POST /v1/auth/local', { token: 'a-new-token', account: ACCOUNT });
    await userEvent.type(screen.getByRole('textbox', { name: 'E-mail' }), 'maker@example.com{Enter}');
    expect(await screen.findByRole('heading', { name: 'Ready' })).toBeInTheDocument();
  });
});

describe('the studio', () => {
  it('offers three examples to somebody who has made nothing yet', async () => {
    backendWith([]);
    show(<App />);
    await userEvent.click(await screen.findByRole('button', { name: /^Paper boat A paper boat sails/ }));
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveDisplayValue(/^A paper boat sails down/);
  });

  it('shows recent jobs with their thumbnails and opens them', async () => {
    backendWith();
    const { history } = show(<App />);
    const recent = await screen.findByRole('region', { name: 'Recent' });
    const link = await within(recent).findByRole('link', { name: 'Ready: A paper boat at dusk' });
    expect(link.querySelector('img')).toHaveAttribute('src', RESULT.thumbnail_url);
    await userEvent.click(link);
    expect(history.at(-1)).toBe('/jobs/job_1');
    expect(await screen.findByRole('heading', { name: 'Ready' })).toBeInTheDocument();
  });

  it('tells when a job ends while something else is on the stage', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const running = aJob({ status: 'running', started_at: 1 });
    const backend = backendWith([running]);
    show(<App />);
    await screen.findByRole('link', { name: 'Generating: A paper boat at dusk' });
    backend.on('GET /v1/jobs', { object: 'list', data: [JOB], first_id: null, last_id: null, has_more: false });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await screen.findByText('Your video is ready')).toBeInTheDocument();
    expect(screen.getByText('A paper boat at dusk', { selector: '[data-description]' })).toBeInTheDocument();
  });

  it('goes to the new job after Generate, and watches it there', async () => {
    backendWith([]);
    const { history } = show(<App />);
    await userEvent.type(await screen.findByRole('textbox', { name: 'Prompt' }), 'A paper boat');
    await waitFor(() =>
      expect(screen.getByRole('button', { name: /^Generate · 40/ })).not.toHaveAttribute('aria-disabled'),
    );
    await userEvent.click(screen.getByRole('button', { name: /^Generate/ }));
    expect(await screen.findByRole('heading', { name: 'In the queue' })).toBeInTheDocument();
    expect(history.at(-1)).toBe('/jobs/job_2');
  });

  it('shows the balance and what is held, and signs out', async () => {
    backendWith().on('GET /v1/account', { ...ACCOUNT, available_tokens: 60, held_tokens: 40 });
    show(<App />);
    expect(await screen.findByRole('link', { name: 'Balance: 60 tokens, 40 tokens held' })).toHaveAttribute(
      'href',
      '/balance',
    );
    await userEvent.click(screen.getByRole('button', { name: 'Account and settings' }));
    await userEvent.click(screen.getByRole('button', { name: 'Sign out' }));
    expect(currentToken()).toBeNull();
    expect(await screen.findByRole('textbox', { name: 'E-mail' })).toBeInTheDocument();
  });

  it('changes its language at once, with the right plural', async () => {
    backendWith().on('GET /v1/account', { ...ACCOUNT, available_tokens: 63 });
    show(<App />);
    await userEvent.click(await screen.findByRole('button', { name: 'Account and settings' }));
    await userEvent.selectOptions(screen.getByRole('combobox', { name: 'Language' }), 'ru');
    expect(await screen.findByRole('link', { name: 'Баланс: 63 токена' })).toBeInTheDocument();
    expect(document.documentElement.lang).toBe('ru');
    await changeLanguage('en');
  });

  it('says that the server cannot be reached, and goes on by itself', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const backend = backendWith();
    backend.cut(true);
    show(<App />);
    expect(await screen.findByText(/No connection to Reelmint/)).toBeInTheDocument();
    backend.cut(false);
    await vi.advanceTimersByTimeAsync(4_000);
    await waitFor(() => expect(screen.queryByText(/No connection to Reelmint/)).not.toBeInTheDocument());
    expect(await screen.findByRole('link', { name: 'Balance: 100 tokens' })).toBeInTheDocument();
  });

  it('has something to say at an address where there is nothing', async () => {
    backendWith();
    show(<App />, '/nowhere');
    expect(await screen.findByRole('heading', { name: 'There is no page here' })).toBeInTheDocument();
  });
});

describe('the balance page', () => {
  const row = { id: 'r', note: '', job_id: 'job_1', created_at: 1_700_000_000, tokens: 40 };

  it('tells every movement in words, with what it does to the tokens to spend', async () => {
    backendWith().on('GET /v1/account/ledger', {
      object: 'list',
      first_id: 'a',
      last_id: 'd',
      has_more: false,
      data: [
        { ...row, id: 'a', kind: 'release', debit: 'held', credit: 'available' },
        { ...row, id: 'b', kind: 'capture', debit: 'held', credit: 'system:revenue' },
        { ...row, id: 'c', kind: 'hold', debit: 'available', credit: 'held' },
        { ...row, id: 'd', kind: 'grant', job_id: null, debit: 'system:grants', credit: 'available' },
        { ...row, id: 'e', kind: 'brand_new', debit: 'available', credit: 'system:other' },
      ],
    });
    show(<App />, '/balance');
    const rows = await within(await screen.findByRole('main')).findAllByRole('listitem');
    expect(rows.map((item) => item.textContent.replace(/[A-Z][a-z]{2} \d.*[AP]M/, ' '))).toEqual([
      'Returned, no charge Open the job+40',
      'Charged for a result Open the job40from held',
      'Held for a job Open the job-40',
      'Gift from Reelmint +40',
      'Movement Open the job-40',
    ]);
  });

  it('goes on from the last row when more is asked for', async () => {
    const backend = backendWith();
    backend.on('GET /v1/account/ledger', ({ query }) => ({
      object: 'list',
      first_id: null,
      last_id: null,
      has_more: query.get('after') === null,
      data: [{ ...row, id: query.get('after') === null ? 'a' : 'b', kind: 'hold', debit: 'available', credit: 'held' }],
    }));
    show(<App />, '/balance');
    await userEvent.click(await screen.findByRole('button', { name: 'Show more' }));
    await waitFor(() => expect(within(screen.getByRole('main')).getAllByRole('listitem')).toHaveLength(2));
    expect(backend.asked('GET /v1/account/ledger').map(({ query }) => query.get('after'))).toEqual([null, 'a']);
    expect(screen.getByText('That is everything.')).toBeInTheDocument();
  });
});
