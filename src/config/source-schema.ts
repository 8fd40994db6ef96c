/** Every key of a source: what it takes, its default and what it does. A part of the schema. */
import { keyPrefix } from './channel-value.ts';
import { flag, list } from './kind.ts';
import { integer } from './measure.ts';
import { alternative, exemplary, given, optional, type SectionValue, section } from './section.ts';
import { password, redisUrl, secretPath, sentinelName, sentinelNode, userName } from './value.ts';

const sentinel = section({
  name: exemplary(sentinelName, 'mymaster', 'What the Sentinels call the primary.'),
  nodes: exemplary(
    list(sentinelNode, 'the Sentinels, such as 127.0.0.1:26379'),
    '["127.0.0.1:26379", "127.0.0.1:26380", "127.0.0.1:26381"]',
    'All Sentinels, as `host:port`. Each of them is asked, and the newest word counts.',
  ),
  sentinel_password: optional(password, '"${SENTINEL_PASSWORD:-secret}"', 'The password of the Sentinels themselves.'),
  sentinel_password_file: alternative(
    secretPath,
    '/run/secrets/sentinel-password',
    'Instead of `sentinel_password`: a file that holds the password and nothing else.',
  ),
  username: optional(userName, 'app', 'The user of the Redis servers.'),
  password: optional(password, '"${REDIS_PASSWORD:-secret}"', 'The password of the Redis servers.'),
  password_file: alternative(
    secretPath,
    '/run/secrets/redis-password',
    'Instead of `password`: a file that holds the password and nothing else.',
  ),
  db: given(integer({ min: 0, max: 99_999 }), '0', 'The database of the Redis servers.'),
  tls: given(flag, 'false', 'true: TLS, to the Redis servers and to the Sentinels.'),
});

/** One Redis deployment. */
export const source = section(
  {
    redis: optional(
      redisUrl,
      'redis://127.0.0.1:6379/0',
      '`redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS.',
    ),
    redis_file: alternative(
      secretPath,
      '/run/secrets/redis',
      'Instead of `redis`: a file that holds the URL and nothing else. A relative path begins in the folder of this file.',
    ),
    sentinel: alternative(
      sentinel,
      '',
      'Instead of `redis`: the Sentinels that know which server is the primary. A fail-over is followed within seconds, also where the old primary is cut off and goes on.',
    ),
    prefix: given(
      keyPrefix,
      '""',
      'Put before every feed of this source, and taken off again where `{feed}` stands, such as `laravel_database_`.',
    ),
  },
  'redis',
);

/** `sources.NAME` as it was read. */
export type RawSource = SectionValue<typeof source.fields>;
/** `sources.NAME.sentinel` as it was read. */
export type RawSentinel = SectionValue<typeof sentinel.fields>;
