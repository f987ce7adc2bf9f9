import { describe, expect, it } from 'vitest';
import { Fault, messageOf, systemCode } from './fault.ts';

describe('a fault', () => {
  it('crosses a border as JSON and comes back the same, without its cause', () => {
    const fault = new Fault({
      code: 'port-in-use',
      message: 'port 8080 is taken',
      subject: '8080',
      hint: 'set BELAY_HTTP',
      retryable: true,
      details: { port: 8080 },
      cause: new Error('EADDRINUSE'),
    });
    const json = JSON.stringify(fault);
    expect(json).not.toContain('EADDRINUSE');
    expect(new Fault(JSON.parse(json)).toJSON()).toEqual(fault.toJSON());
  });

  it('is final unless it says otherwise', () => {
    expect(new Fault({ code: 'c', message: 'm' }).retryable).toBe(false);
  });
});

describe('anything thrown', () => {
  it('has a message', () => {
    expect(messageOf(new Error('broke'))).toBe('broke');
    expect(messageOf('broke')).toBe('broke');
    expect(messageOf(undefined)).toBe('undefined');
  });

  it('has a system code only where the system gave one', () => {
    expect(systemCode(Object.assign(new Error('no'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(systemCode(Object.assign(new Error('no'), { code: 5 }))).toBeUndefined();
    expect(systemCode(null)).toBeUndefined();
  });
});
