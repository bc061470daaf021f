-- The first call on every connection. When another process answers than before, it may have lost the last
-- records, and for a while takes only them: the servers that have read them bring them back.
-- ARGV: server, whether this server has only just started, how long in ms
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local before = redis.call('HGET', state, 'run')
if before ~= run then
    redis.call('HSET', state, 'run', run)
    if before or ARGV[2] ~= '1' then redis.call('HSET', state, 'until', now() + ARGV[3]) end
end
return run
