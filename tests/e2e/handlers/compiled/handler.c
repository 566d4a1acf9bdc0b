/* A handler without an interpreter: one static program for every command. Enable writes the status of its number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char STATUS[] =
    "[{\"version\": 1.0, \"timestampUTC\": \"%s\", \"status\": {\"operation\": \"enable\", \"status\": \"success\","
    " \"formattedMessage\": {\"lang\": \"en\", \"message\": \"compiled, and run as %s\"}}}]\n";

static int enable(const char *number)
{
    char path[64], temporary[80], now[32];
    time_t seconds = time(NULL);
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
    snprintf(path, sizeof path, "status/%.20s.status", number);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *file = fopen(temporary, "w");
    if (file == NULL || fprintf(file, STATUS, now, getenv("AZURE_GUEST_AGENT_EXTENSION_VERSION")) < 0)
        return 1;
    return fclose(file) == 0 && rename(temporary, path) == 0 ? 0 : 1;
}

int main(int count, char **words)
{
    const char *number = getenv("ConfigSequenceNumber");
    if (count != 2 || number == NULL)
        return 53; /* wrong configuration, as publishers agreed to say it */
    return strcmp(words[1], "enable") == 0 ? enable(number) : 0;
}
