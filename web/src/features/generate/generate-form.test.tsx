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
import { H3, HAILUO, KLING } from '../../test/real-models';
import { show } from '../../test/show';
import { GenerateForm } from './generate-form';
import type { Refill } from './use-draft';
import { useGeneration } from './use-generation';
import { usePictures } from './use-picture';

interface Stage {
  backend: FakeBackend;
  created: Job[];
}

function Form({ created, refill }: { created: Job[]; refill: Refill | null }) {
  const pictures = usePictures();
  const generation = useGeneration(pictures, (job) => created.push(job));
  return <GenerateForm pictures={pictures} generation={generation} refill={refill} hasExamples={false} />;
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
const choose = async (name: string) => {
  await userEvent.click(screen.getByRole('button', { name: /^Model: / }));
  await userEvent.click(await screen.findByRole('radio', { name: new RegExp(name) }));
};
const write = (text: string) => userEvent.type(screen.getByRole('textbox', { name: 'Prompt' }), text);

describe('the camera moves of the chosen model', () => {
  it('go into the prompt where the caret stands, and are sent with it', async () => {
    const { backend } = await open([HAILUO], { tokens: 1_000 });
    await write('A fox sleeps');
    await userEvent.click(screen.getByRole('button', { name: 'Camera moves' }));
    const moves = within(await screen.findByRole('group', { name: 'Camera moves' }));
    expect(moves.getByRole('button', { name: 'Pan left' })).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    const area = screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Prompt' });
    expect(area).toHaveValue('A fox sleeps [Pan left]');
    area.setSelectionRange(area.value.length - 1, area.value.length - 1);
    await userEvent.click(moves.getByRole('button', { name: 'Push in' }));
    expect(area).toHaveValue('A fox sleeps [Pan left,Push in]');
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    await waitFor(() => expect(backend.asked('POST /v1/jobs')).toHaveLength(1));
    expect(backend.asked('POST /v1/jobs')[0]?.body).toMatchObject({ prompt: 'A fox sleeps [Pan left,Push in]' });
  });

  it('are not offered where the model knows none', async () => {
    await open([KLING]);
    expect(screen.queryByRole('button', { name: 'Camera moves' })).toBeNull();
  });
});

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

  it('are told in a line where the model leaves no choice', async () => {
    await open([aModel({}, { durations_seconds: [5], resolutions: ['720p'], aspect_ratios: ['16:9', '9:16'] })]);
    expect(screen.getByText('Always 5 s, 720p.')).toBeInTheDocument();
    expect(screen.queryByRole('group', { name: 'Resolution' })).not.toBeInTheDocument();
    expect(choices('Shape')).toHaveLength(2);
  });

  it('change with the model, and what was typed stays', async () => {
    await open([
      aModel(),
      aModel({ id: 'long', name: 'Lumen Long' }, { durations_seconds: [10], prompt_chars_max: 5 }),
    ]);
    await write('A paper boat');
    await choose('Lumen Long');
    expect(screen.queryByRole('group', { name: 'Length' })).not.toBeInTheDocument();
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveValue('A paper boat');
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveAccessibleDescription(/12 of 5 characters$/);
    expect(generate()).toHaveAccessibleDescription('The prompt is 7 characters too long.');
  });

  it('have no prompt where the model takes none, and the price does not wait for one', async () => {
    const { backend } = await open([
      aModel(
        { name: 'Template: Diving' },
        { prompt_chars_min: 0, prompt_chars_max: 0, durations_seconds: [], resolutions: [], aspect_ratios: [] },
      ),
    ]);
    expect(screen.queryByRole('textbox', { name: 'Prompt' })).not.toBeInTheDocument();
    expect(screen.getByText('Template: Diving needs no prompt.')).toBeInTheDocument();
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    expect(backend.asked('POST /v1/quotes').at(-1)?.body).toEqual({ model: 'lumen' });
  });

  it('have the number of results where the model makes several', async () => {
    const { backend } = await open([aModel({}, { counts: [1, 2, 3, 4] })]);
    await userEvent.click(within(screen.getByRole('group', { name: 'How many' })).getByRole('radio', { name: '4' }));
    await waitFor(() => expect(backend.asked('POST /v1/quotes').at(-1)?.body).toMatchObject({ count: 4 }));
  });

  it('say what the server knows better, next to what it is about', async () => {
    const { backend } = await open([aModel({}, { counts: [1, 2, 3, 4] })]);
    backend.on('POST /v1/quotes', refusal(422, 'unsupported_setting', { param: 'count', message: 'At most 2 here.' }));
    await write('A paper boat');
    await waitFor(() =>
      expect(screen.getByRole('group', { name: 'How many' })).toHaveAccessibleDescription(
        'The model cannot do one of these settings. At most 2 here.',
      ),
    );
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

describe('settings that depend on each other', () => {
  const field = (legend: string) => screen.getByRole('group', { name: legend });

  it('give way to the one that was chosen last, and say so', async () => {
    await open([HAILUO]);
    await userEvent.click(screen.getByRole('radio', { name: '10 seconds' }));
    await userEvent.click(screen.getByRole('radio', { name: '1080P' }));
    expect(screen.getByRole('radio', { name: '6 seconds' })).toBeChecked();
    expect(field('Length')).toHaveAccessibleDescription('Now 6 s. With 1080P: only 6 s.');
    await userEvent.click(screen.getByRole('radio', { name: '768P' }));
    expect(screen.getByRole('radio', { name: '10 seconds' })).toBeChecked();
    expect(field('Length')).toHaveAccessibleDescription('');
  });

  it('cannot be chosen beside the pictures that are there, and say why', async () => {
    await open([HAILUO]);
    expect(screen.getByRole('radio', { name: '512P' })).toBeDisabled();
    expect(field('Resolution')).toHaveAccessibleDescription('With 512P: a first frame is needed, no last frame.');
  });

  it('follow the sound', async () => {
    await open([KLING]);
    await userEvent.click(screen.getByRole('radio', { name: '1080p' }));
    await userEvent.click(screen.getByRole('radio', { name: '720p' }));
    await userEvent.click(screen.getByRole('switch', { name: 'Sound' }));
    expect(screen.getByRole('radio', { name: '1080p' })).toBeChecked();
    expect(screen.getByRole('radio', { name: '720p' })).toBeDisabled();
    expect(field('Resolution')).toHaveAccessibleDescription('Now 1080p. With sound: only 1080p.');
    await userEvent.click(screen.getByRole('switch', { name: 'Sound' }));
    expect(screen.getByRole('radio', { name: '720p' })).toBeChecked();
  });

  it('stand in the order of their size, whatever the default is', async () => {
    await open([H3]);
    const seconds = choices('Length').map((choice) => choice.getAttribute('aria-label')?.split(' ')[0]);
    expect(seconds).toEqual(['4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15']);
    expect(screen.getByRole('radio', { name: '5 seconds' })).toBeChecked();
    expect(screen.getByRole('radio', { name: "the picture's own shape" })).toBeDisabled();
  });
});

describe('who may do it instead', () => {
  const other = aModel(
    { id: 'replicate-hailuo-02', name: 'Hailuo 02 (Replicate)', provider: 'replicate' },
    { durations_seconds: [6], resolutions: ['768p'] },
  );
  const open2 = () => open([HAILUO, other, aModel({ id: 'still', kind: 'image' })]);
  const unfold = async () => {
    await userEvent.click(screen.getByRole('button', { name: 'If MiniMax does not answer…' }));
    return screen.getByRole('combobox', { name: 'If MiniMax does not answer, may another model do it?' });
  };

  it('is asked in one quiet line, and only where there is somebody', async () => {
    await open([HAILUO, aModel({ id: 'still', kind: 'image' })]);
    expect(screen.queryByRole('button', { name: /does not answer/ })).not.toBeInTheDocument();
  });

  it('is one of those that can do the same, and goes with the request', async () => {
    const { backend, created } = await open2();
    const list = await unfold();
    expect(
      within(list)
        .getAllByRole('option')
        .map((option) => option.textContent),
    ).toEqual(['Allow a model…', 'Hailuo 02 (Replicate)']);
    await userEvent.selectOptions(list, 'Hailuo 02 (Replicate)');
    await waitFor(() =>
      expect(backend.asked('POST /v1/quotes').at(-1)?.body).toMatchObject({
        fallback_models: ['replicate-hailuo-02'],
      }),
    );
    await userEvent.click(screen.getByRole('button', { name: 'Do not allow Hailuo 02 (Replicate)' }));
    await write('A paper boat');
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    await waitFor(() => expect(created).toHaveLength(1));
    expect(backend.asked('POST /v1/jobs')[0]?.body).not.toHaveProperty('fallback_models');
  });

  it('is left out, and told so, while it cannot do what is asked', async () => {
    const { backend } = await open2();
    await userEvent.selectOptions(await unfold(), 'Hailuo 02 (Replicate)');
    await userEvent.click(screen.getByRole('radio', { name: '10 seconds' }));
    expect(screen.getByText('cannot do it with these settings')).toBeInTheDocument();
    await waitFor(() => expect(backend.asked('POST /v1/quotes').at(-1)?.body).toMatchObject({ duration_seconds: 10 }));
    expect(backend.asked('POST /v1/quotes').at(-1)?.body).not.toHaveProperty('fallback_models');
  });

  it('is told what the server has against it', async () => {
    const { backend } = await open2();
    await write('A paper boat');
    backend.on(
      'POST /v1/quotes',
      refusal(422, 'unsupported_setting', { param: 'fallback_models', message: 'It costs more than Hailuo 02.' }),
    );
    await userEvent.selectOptions(await unfold(), 'Hailuo 02 (Replicate)');
    expect(await screen.findByRole('alert')).toHaveTextContent('It costs more than Hailuo 02.');
    expect(generate()).toHaveAttribute('aria-disabled', 'true');
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

  it('is never that of other settings', async () => {
    const { backend } = await open([aModel()]);
    await write('A paper boat');
    await screen.findByRole('button', { name: 'Generate · 40 tokens' });
    backend.on('POST /v1/quotes', aQuote(95));
    await userEvent.click(screen.getByRole('radio', { name: '4 seconds' }));
    expect(generate()).toHaveAccessibleName('Generate · …');
    expect(generate()).toHaveAccessibleDescription('Price…');
    expect(generate()).toHaveAttribute('aria-disabled', 'true');
    expect(await screen.findByRole('button', { name: 'Generate · 95 tokens' })).not.toHaveAttribute('aria-disabled');
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

describe('the pictures', () => {
  const needsOne = aModel({}, { images: { start: 'required', end: 'none', subject: 'none', source: 'none' } });
  const png = new File(['bytes'], 'cat.png', { type: 'image/png' });
  const ticket = { image_id: 'img_1', upload: { method: 'PUT', url: '/blobs/1', headers: {}, expires_at: 1 } };

  it('is checked before a byte is sent', async () => {
    const { backend } = await open([aModel()]);
    fireEvent.change(screen.getByLabelText('First frame'), {
      target: { files: [new File(['x'], 'notes.pdf', { type: 'application/pdf' })] },
    });
    expect(await screen.findByRole('alert')).toHaveTextContent('This is not a JPEG, PNG or WebP picture.');
    expect(backend.asked('POST /v1/uploads')).toHaveLength(0);
  });

  it('is needed by a model that starts from one, and the button says so', async () => {
    await open([needsOne]);
    await write('A paper boat');
    expect(generate()).toHaveAccessibleDescription('Add a picture: First frame.');
    expect(screen.getByRole('group', { name: 'First frame · needed' })).toBeInTheDocument();
  });

  it('travels when it is picked, is seen, is used, and can be taken away', async () => {
    const { backend, created } = await open([needsOne]);
    fakeUploads();
    backend.on('POST /v1/uploads', Response.json(ticket, { status: 201 }));
    backend.on('GET /v1/uploads/img_1', { image_id: 'img_1', state: 'ready', error: null, width: 1, height: 1 });
    await write('A paper boat');
    await userEvent.upload(screen.getByLabelText('First frame'), png);
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
    await userEvent.upload(screen.getByLabelText('First frame'), png);
    expect(await screen.findByRole('alert')).toHaveTextContent('This file is not a working picture.');
  });

  it('have an area for each role of the model, and go out by role', async () => {
    const { backend, created } = await open([HAILUO]);
    takeUploads(backend);
    await write('A paper boat');
    await userEvent.upload(screen.getByLabelText('First frame'), png);
    await userEvent.upload(screen.getByLabelText('Last frame'), png);
    expect(screen.queryByLabelText('Picture to change')).not.toBeInTheDocument();
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    await waitFor(() => expect(created).toHaveLength(1));
    expect(backend.asked('POST /v1/jobs')[0]?.body).toMatchObject({ images: { start: 'img_1', end: 'img_2' } });
  });

  it('ask for another one where one alone is not enough', async () => {
    const { backend } = await open([KLING]);
    takeUploads(backend);
    await write('A paper boat');
    expect(screen.getByRole('group', { name: 'First frame · optional' })).toBeInTheDocument();
    await userEvent.upload(screen.getByLabelText('Last frame'), png);
    expect(await screen.findByRole('group', { name: 'First frame · needed' })).toBeInTheDocument();
    expect(generate()).toHaveAccessibleDescription('Add a picture: First frame.');
    expect(screen.getByRole('switch', { name: 'Sound' })).toBeDisabled();
    expect(screen.getByText('With a last frame: no sound.')).toBeInTheDocument();
  });

  it('close the areas of those that do not go with them, and say why', async () => {
    const { backend } = await open([H3]);
    takeUploads(backend);
    await userEvent.upload(screen.getByLabelText('Subject'), png);
    const start = screen.getByRole('group', { name: /First frame/ });
    expect(within(start).getByText('With a subject: no first frame, no last frame.')).toBeInTheDocument();
    expect(within(start).getByRole('button')).toHaveAttribute('aria-disabled', 'true');
  });

  it('find their place with another model, or are kept for the next one', async () => {
    const words = aModel({ id: 'words', name: 'Words Only' }, { images: {} });
    const portrait = aModel({ id: 'portrait', name: 'Portrait' }, { images: { subject: 'required' } });
    const { backend, created } = await open([aModel(), words, portrait]);
    takeUploads(backend);
    await write('A paper boat');
    await userEvent.upload(screen.getByLabelText('First frame'), png);
    await choose('Words Only');
    expect(
      screen.getByText('Words Only does not take this picture. It is kept for other models: cat.png'),
    ).toBeVisible();
    await choose('Portrait');
    const subject = screen.getByRole('group', { name: /Subject/ });
    expect(await within(subject).findByText('Ready')).toBeInTheDocument();
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    await waitFor(() => expect(created).toHaveLength(1));
    expect(backend.asked('POST /v1/jobs')[0]?.body).toMatchObject({ images: { subject: 'img_1' } });
  });

  it('that are too small for the model are told about before anything is asked for', async () => {
    const usual = aModel().capabilities.picture;
    const { backend } = await open([aModel({}, { picture: { ...usual, side_min_px: 300 } })]);
    takeUploads(backend);
    await write('A paper boat');
    await userEvent.upload(screen.getByLabelText('First frame'), png);
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'Too small for this model: the shorter side needs 300 pixels.',
    );
    expect(generate()).toHaveAccessibleDescription('Remove the picture or try another one.');
  });

  it('that the server refuses for a model are told about next to their role', async () => {
    const { backend } = await open([aModel()]);
    takeUploads(backend);
    backend.on(
      'POST /v1/jobs',
      refusal(422, 'unsupported_setting', { param: 'images.start', message: 'The picture is too dark.' }),
    );
    await write('A paper boat');
    await userEvent.upload(screen.getByLabelText('First frame'), png);
    await waitFor(() => expect(generate()).not.toHaveAttribute('aria-disabled'));
    await userEvent.click(generate());
    const start = screen.getByRole('group', { name: /First frame/ });
    expect(await within(start).findByRole('alert')).toHaveTextContent('The picture is too dark.');
    await userEvent.click(within(start).getByRole('button', { name: 'Remove the picture' }));
    expect(screen.queryByText(/too dark/)).not.toBeInTheDocument();
  });

  function takeUploads(backend: FakeBackend): void {
    fakeUploads();
    let number = 0;
    backend.on('POST /v1/uploads', () => {
      number += 1;
      const image_id = `img_${number}`;
      backend.on(`GET /v1/uploads/${image_id}`, { image_id, state: 'ready', error: null, width: 64, height: 48 });
      return Response.json({ ...ticket, image_id }, { status: 201 });
    });
  }
});
