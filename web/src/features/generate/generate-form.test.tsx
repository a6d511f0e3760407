import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import type { Job, Model } from '../../api';
import {
  ACCOUNT,
  aJob,
  aModel,
  aQuote,
  fakeBackend,
  fakeUploads,
  refusal,
  type FakeBackend,
} from '../../test/fake-backend';
import { show } from '../../test/show';
import { GenerateForm, type Refill } from './generate-form';
import { useGeneration } from './use-generation';
import { usePicture } from './use-picture';

interface Stage {
  backend: FakeBackend;
  created: Job[];
}

function Form({ created, refill }: { created: Job[]; refill: Refill | null }) {
  const picture = usePicture();
  const generation = useGeneration(picture, (job) => created.push(job));
  return <GenerateForm picture={picture} generation={generation} refill={refill} hasExamples={false} />;
}

async function open(
  models: Model[],
  { tokens = 100, price = 40, refill = null as Refill | null } = {},
): Promise<Stage> {
  const backend = fakeBackend({
    'GET /v1/models': { object: 'list', data: models },
    'GET /v1/account': { ...ACCOUNT, available_tokens: tokens },
    'GET /v1/jobs': { object: 'list', data: [], first_id: null, last_id: null, has_more: false },
    'POST /v1/quotes': aQuote(price),
    'POST /v1/jobs': Response.json(aJob(), { status: 202 }),
  });
  const created: Job[] = [];
  show(<Form created={created} refill={refill} />);
  await screen.findByRole('form', { name: 'New generation' });
  return { backend, created };
}

const choices = (legend: string) => within(screen.getByRole('group', { name: legend })).getAllByRole('radio');
const generate = () => screen.getByRole('button', { name: /^Generate|^Sending/ });
const write = (text: string) => userEvent.type(screen.getByRole('textbox', { name: 'Prompt' }), text);

describe('the settings of the chosen model', () => {
  it('are shown as the model has them', async () => {
    await open([aModel({}, { durations_seconds: [2, 4, 6], audio: true })]);
    expect(choices('Length').map((choice) => choice.getAttribute('aria-label'))).toEqual([
      '2 seconds',
      '4 seconds',
      '6 seconds',
    ]);
    expect(choices('Resolution')).toHaveLength(2);
    expect(choices('Shape').map((choice) => choice.getAttribute('aria-label'))).toEqual(['16:9', '9:16']);
    expect(screen.getByRole('switch', { name: 'Sound' })).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Say what to leave out' })).toBeInTheDocument();
    expect(screen.getByRole('group', { name: /First frame · optional/ })).toBeInTheDocument();
  });

  it('are not shown where the model has none', async () => {
    await open([
      aModel(
        {},
        {
          durations_seconds: [],
          resolutions: [],
          aspect_ratios: [],
          negative_prompt: false,
          images: { start: 'none', end: 'none', subject: 'none', source: 'none' },
        },
      ),
    ]);
    for (const name of ['Length', 'Resolution', 'Shape', /First frame/]) {
      expect(screen.queryByRole('group', { name })).not.toBeInTheDocument();
    }
    expect(screen.queryByRole('switch')).not.toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Say what to leave out' })).not.toBeInTheDocument();
  });

  it('change with the model', async () => {
    await open([aModel(), aModel({ id: 'lumen-mute', name: 'Lumen Long' }, { durations_seconds: [10] })]);
    await userEvent.click(screen.getByRole('button', { name: /^Model: Lumen\./ }));
    await userEvent.click(screen.getByRole('radio', { name: /Lumen Long/ }));
    expect(choices('Length')).toHaveLength(1);
  });

  it('start from the defaults and take what an old job had', async () => {
    const settings = {
      negative_prompt: 'blur',
      duration_seconds: 4,
      resolution: '720p',
      aspect_ratio: '9:16',
      audio: false,
      count: 1,
    };
    await open([aModel()], { refill: { job: aJob({ prompt: 'An old prompt', settings }), focus: 'prompt' } });
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveValue('An old prompt');
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveFocus();
    expect(screen.getByRole('radio', { name: '4 seconds' })).toBeChecked();
    expect(screen.getByRole('radio', { name: '9:16' })).toBeChecked();
    expect(screen.getByRole('textbox', { name: 'Leave out' })).toHaveValue('blur');
  });
});

describe('the price', () => {
  it('is on the button, with what is left after', async () => {
    await open([aModel()]);
    await write('A paper boat');
    expect(await screen.findByRole('button', { name: 'Generate · 40 tokens' })).toHaveAccessibleDescription(
      '60 tokens left after this',
    );
  });

  it('is asked for once the form is still, not with every key', async () => {
    const { backend } = await open([aModel()]);
    await screen.findByRole('button', { name: 'Generate · 40 tokens' });
    const before = backend.asked('POST /v1/quotes').length;
    await write('A paper boat sails');
    await waitFor(() =>
      expect(backend.asked('POST /v1/quotes').at(-1)?.body).toMatchObject({ prompt: 'A paper boat sails' }),
    );
    expect(backend.asked('POST /v1/quotes').length - before).toBeLessThan(4);
  });

  it('says how many tokens are missing, and the button cannot be pressed', async () => {
    const { backend } = await open([aModel()], { tokens: 12 });
    await write('A paper boat');
    await waitFor(() => expect(generate()).toHaveAccessibleDescription('You need 28 more tokens. You have 12.'));
    expect(generate()).toHaveAttribute('aria-disabled', 'true');
    await userEvent.click(generate());
    expect(backend.asked('POST /v1/jobs')).toHaveLength(0);
  });

  it('says why there is none when the back end refuses the request', async () => {
    const { backend } = await open([aModel()]);
    backend.on('POST /v1/quotes', refusal(422, 'prompt_blocked'));
    await write('Something against the rules');
    await waitFor(() => expect(generate()).toHaveAccessibleDescription('Our rules do not allow this prompt.'));
    expect(generate()).toHaveAttribute('aria-disabled', 'true');
  });
});

describe('Generate', () => {
  it('waits for a prompt and says so', async () => {
    await open([aModel()]);
    await screen.findByRole('button', { name: 'Generate · 40 tokens' });
    expect(generate()).toHaveAccessibleDescription('Write a prompt first.');
    await write('ab');
    expect(generate()).toHaveAccessibleDescription('The prompt needs at least 3 characters.');
  });

  it('asks for exactly what was priced, under a key of its own', async () => {
    const { backend, created } = await open([aModel()]);
    await write('A paper boat');
    await waitFor(() =>
      expect(backend.asked('POST /v1/quotes').at(-1)?.body).toMatchObject({ prompt: 'A paper boat' }),
    );
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    await waitFor(() => expect(created).toHaveLength(1));
    const [call] = backend.asked('POST /v1/jobs');
    expect(call?.body).toEqual({
      model: 'lumen',
      prompt: 'A paper boat',
      duration_seconds: 2,
      resolution: '480p',
      aspect_ratio: '16:9',
      quote_id: 'quote_40',
      max_cost_tokens: 40,
    });
    expect(call?.headers.get('Idempotency-Key')).toMatch(/^[\w-]{32,}$/);
  });

  it('starts one job when it is pressed twice at once', async () => {
    const { backend, created } = await open([aModel()]);
    await write('A paper boat');
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    act(() => {
      generate().click();
      generate().click();
    });
    await waitFor(() => expect(created).toHaveLength(1));
    expect(backend.asked('POST /v1/jobs')).toHaveLength(1);
  });

  it('keeps its key when the outcome is not known, and sends the same words again', async () => {
    const { backend, created } = await open([aModel()]);
    await write('A paper boat');
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    vi.useFakeTimers({ shouldAdvanceTime: true });
    backend.on('POST /v1/jobs', new TypeError('connection lost'));
    fireEvent.click(generate());
    await vi.advanceTimersByTimeAsync(10_000);
    const again = await screen.findByRole('button', { name: 'Try again' });
    backend.on('POST /v1/jobs', Response.json(aJob(), { status: 202 }));
    fireEvent.click(again);
    await waitFor(() => expect(created).toHaveLength(1));
    const calls = backend.asked('POST /v1/jobs');
    expect(calls.length).toBeGreaterThan(2);
    expect(new Set(calls.map(({ headers }) => headers.get('Idempotency-Key'))).size).toBe(1);
    expect(new Set(calls.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('takes a new key after a refusal', async () => {
    const { backend, created } = await open([aModel()]);
    backend.on('POST /v1/jobs', refusal(409, 'quote_expired'));
    await write('A paper boat');
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    expect(await screen.findByRole('alert')).toHaveTextContent('The price was shown too long ago.Nothing was charged.');
    backend.on('POST /v1/jobs', Response.json(aJob(), { status: 202 }));
    await userEvent.click(generate());
    await waitFor(() => expect(created).toHaveLength(1));
    const keys = backend.asked('POST /v1/jobs').map(({ headers }) => headers.get('Idempotency-Key'));
    expect(new Set(keys).size).toBe(2);
  });

  it('cannot be reached by keys either when there are too few tokens', async () => {
    const { backend } = await open([aModel()], { tokens: 12 });
    await write('A paper boat');
    await waitFor(() => expect(generate()).toHaveAccessibleDescription('You need 28 more tokens. You have 12.'));
    await userEvent.type(screen.getByRole('textbox', { name: 'Prompt' }), '{Control>}{Enter}{/Control}');
    expect(backend.asked('POST /v1/jobs')).toHaveLength(0);
  });

  it('asks for the price anew when the one on the button has nearly run out', async () => {
    const { backend, created } = await open([aModel()]);
    backend.on('POST /v1/quotes', { ...aQuote(40), expires_at: Math.floor(Date.now() / 1000) + 5 });
    await write('A paper boat');
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    backend.on('POST /v1/quotes', { ...aQuote(40), quote_id: 'a-fresh-quote' });
    fireEvent.click(generate());
    await waitFor(() => expect(created).toHaveLength(1));
    expect(backend.asked('POST /v1/jobs')[0]?.body).toMatchObject({ quote_id: 'a-fresh-quote' });
  });

  it('does not spend more than the price that was seen', async () => {
    const { backend } = await open([aModel()]);
    await write('A paper boat');
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    backend.on('POST /v1/quotes', aQuote(55));
    await write(' at dusk');
    fireEvent.click(generate());
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'The price has changed since you saw it.Nothing was charged.',
    );
    expect(backend.asked('POST /v1/jobs')).toHaveLength(0);
  });
});

describe('the picture', () => {
  const needsOne = aModel({}, { images: { start: 'required', end: 'none', subject: 'none', source: 'none' } });
  const png = new File(['bytes'], 'cat.png', { type: 'image/png' });
  const ticket = { image_id: 'img_1', upload: { method: 'PUT', url: '/blobs/1', headers: {}, expires_at: 1 } };

  it('is checked before a byte is sent', async () => {
    const { backend } = await open([aModel()]);
    fireEvent.change(screen.getByTestId('picture-input'), {
      target: { files: [new File(['x'], 'notes.pdf', { type: 'application/pdf' })] },
    });
    expect(await screen.findByRole('alert')).toHaveTextContent('This is not a JPEG, PNG or WebP picture.');
    expect(backend.asked('POST /v1/uploads')).toHaveLength(0);
  });

  it('is needed by a model that starts from one, and the button says so', async () => {
    await open([needsOne]);
    await write('A paper boat');
    expect(generate()).toHaveAccessibleDescription('This model starts from a picture. Add one.');
  });

  it('travels when it is picked, is seen, is used, and can be taken away', async () => {
    const { backend, created } = await open([needsOne]);
    fakeUploads();
    backend.on('POST /v1/uploads', Response.json(ticket, { status: 201 }));
    backend.on('GET /v1/uploads/img_1', { image_id: 'img_1', state: 'ready', error: null, width: 1, height: 1 });
    await write('A paper boat');
    await userEvent.upload(screen.getByTestId('picture-input'), png);
    expect(await screen.findByRole('img', { name: 'Your picture: cat.png' })).toBeInTheDocument();
    expect(await screen.findByText('Ready')).toBeInTheDocument();
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    await waitFor(() => expect(created).toHaveLength(1));
    expect(backend.asked('POST /v1/jobs')[0]?.body).toMatchObject({ images: { start: 'img_1' } });
    await userEvent.click(screen.getByRole('button', { name: 'Remove the picture' }));
    expect(screen.queryByRole('img', { name: /cat.png/ })).not.toBeInTheDocument();
  });

  it('can be dropped beside the field', async () => {
    const { backend } = await open([aModel()]);
    fakeUploads();
    backend.on('POST /v1/uploads', Response.json(ticket, { status: 201 }));
    backend.on('GET /v1/uploads/img_1', { image_id: 'img_1', state: 'ready', error: null, width: 1, height: 1 });
    fireEvent.drop(document.body, { dataTransfer: { files: [png], types: ['Files'] } });
    expect(await screen.findByText('Ready')).toBeInTheDocument();
  });

  it('can be pasted', async () => {
    const { backend } = await open([aModel()]);
    fakeUploads();
    backend.on('POST /v1/uploads', Response.json(ticket, { status: 201 }));
    backend.on('GET /v1/uploads/img_1', { image_id: 'img_1', state: 'ready', error: null, width: 1, height: 1 });
    fireEvent.paste(document.body, { clipboardData: { files: [png] } });
    expect(await screen.findByText('Ready')).toBeInTheDocument();
  });

  it('says what is wrong when the server refuses it', async () => {
    const { backend } = await open([aModel()]);
    fakeUploads();
    backend.on('POST /v1/uploads', Response.json(ticket, { status: 201 }));
    backend.on('GET /v1/uploads/img_1', {
      image_id: 'img_1',
      state: 'rejected',
      error: { code: 'not_an_image', message: 'no' },
      width: null,
      height: null,
    });
    await userEvent.upload(screen.getByTestId('picture-input'), png);
    expect(await screen.findByRole('alert')).toHaveTextContent('This file is not a working picture.');
  });
});
