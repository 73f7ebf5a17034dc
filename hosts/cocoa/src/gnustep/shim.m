/* A descriptor that an NSRunLoop watches. What Rust sees of it is in watcher.rs. */

#import <Foundation/Foundation.h>

#include <stdbool.h>
#include <stddef.h>

@interface InterloopWatcher : NSObject <RunLoopEvents>
{
@public
    int descriptor;
    NSRunLoop *loop;
    NSMutableArray *modes;
    void (*readable)(void *data);
    void *data;
}
@end

@implementation InterloopWatcher

- (void)dealloc
{
    [modes release];
    [loop release];
    [super dealloc];
}

- (void)receivedEvent:(void *)event
                 type:(RunLoopEventType)type
                extra:(void *)extra
              forMode:(NSString *)mode
{
    /* What the turn autoreleases goes when it ends. It may end this watch. */
    NSAutoreleasePool *pool = [NSAutoreleasePool new];
    [self retain];
    if (readable != NULL)
        readable(data);
    [self release];
    [pool release];
}

@end

/* Watches a descriptor for reading, by level, in the run loop of this thread. */
void *interloop_gnustep_watch(int descriptor, const char *const *modes, size_t count,
                              void (*readable)(void *data), void *data)
{
    InterloopWatcher *watcher;
    NSAutoreleasePool *pool;
    size_t i;

    /* A thread that was not made by an NSThread is not known; for one that is, this does nothing. */
    GSRegisterCurrentThread();
    pool = [NSAutoreleasePool new];
    watcher = [InterloopWatcher new];
    watcher->descriptor = descriptor;
    watcher->loop = [[NSRunLoop currentRunLoop] retain];
    watcher->modes = [NSMutableArray new];
    watcher->readable = readable;
    watcher->data = data;
    for (i = 0; i < count; i++) {
        NSString *mode = [NSString stringWithUTF8String:modes[i]];

        [watcher->modes addObject:mode];
        [watcher->loop addEvent:(void *)(intptr_t)descriptor
                           type:ET_RDESC
                        watcher:watcher
                        forMode:mode];
    }
    [pool release];
    return watcher;
}

/* Ends a watch, on its own thread. */
void interloop_gnustep_unwatch(void *pointer)
{
    InterloopWatcher *watcher = pointer;
    NSAutoreleasePool *pool = [NSAutoreleasePool new];
    NSUInteger i;

    watcher->readable = NULL;
    for (i = 0; i < [watcher->modes count]; i++)
        [watcher->loop removeEvent:(void *)(intptr_t)watcher->descriptor
                              type:ET_RDESC
                           forMode:[watcher->modes objectAtIndex:i]
                               all:YES];
    [watcher release];
    [pool release];
}
